"""Motion goes on while unseen, dies down, and gets less certain."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from endo_depth_ros.geometry.transforms import invert_transform
from endo_depth_ros.pose.lie import exp_se3, log_se3
from endo_depth_ros.pose.motion import MotionModel, grown

STEP = exp_se3(np.array([0, 0.01, 0, 0.001, 0, 0.0005]))


def moving_model() -> MotionModel:
    model = MotionModel(0.3)
    T = np.eye(4)
    for _ in range(20):
        model.learn(T, T @ STEP, 1 / 30)
        T = T @ STEP
    return model


def test_constant_velocity_is_predicted() -> None:
    predicted = moving_model().predict(np.eye(4), 0.0, 1 / 30)
    np.testing.assert_allclose(predicted, STEP, atol=1e-6)
    np.testing.assert_allclose(moving_model().predict(np.eye(4), 0.0, 2 / 30), STEP @ STEP, atol=1e-6)


def test_unseen_motion_dies_down() -> None:
    model, T, steps = moving_model(), np.eye(4), []
    for index in range(60):
        after = model.predict(T, index / 30, 1 / 30)
        steps.append(np.linalg.norm(log_se3(invert_transform(T) @ after)[3:]))
        T = after
    assert steps[-1] < 0.01 * steps[0]
    assert all(later <= earlier for earlier, later in pairwise(steps[1:]))


def test_a_gap_is_no_velocity() -> None:
    model = moving_model()
    model.learn(np.eye(4), STEP, 3.0)
    np.testing.assert_allclose(model.predict(np.eye(4), 0.0, 0.1), np.eye(4))


def test_covariance_only_grows() -> None:
    start = np.diag([1e-6] * 6)
    sizes = [np.linalg.eigvalsh(grown(start, np.eye(4), seconds, 0.05)).min() for seconds in (0.0, 0.1, 0.5, 2.0)]
    assert sizes == sorted(sizes)
    assert sizes[-1] > 100 * sizes[0]
