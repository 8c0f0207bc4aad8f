"""Covariances of poses in the orders of the graph and of messages."""

from __future__ import annotations

import numpy as np

from endo_depth_ros.contracts import Scale, ScaleState
from endo_depth_ros.pose.covariance import compose, to_body_order, to_message_order, with_scale_error
from endo_depth_ros.pose.lie import exp_se3, log_se3

POSE = exp_se3(np.array([0.4, -0.7, 1.1, 0.02, -0.01, 0.05]))


def random_covariance(seed: int, size: float) -> np.ndarray:
    A = np.random.default_rng(seed).normal(size=(6, 6)) * size
    return A @ A.T


def test_message_covariance_has_position_first_in_odom_axes() -> None:
    body = np.diag([1.0, 0, 0, 0, 0, 4.0])  # rotation about the camera's x, motion along its z
    message = to_message_order(body, POSE)
    x, z = POSE[:3, 0], POSE[:3, 2]
    np.testing.assert_allclose(message[:3, :3], 4 * np.outer(z, z), atol=1e-12)
    np.testing.assert_allclose(message[3:, 3:], np.outer(x, x), atol=1e-12)
    np.testing.assert_allclose(message[:3, 3:], 0, atol=1e-12)


def test_body_order_undoes_message_order() -> None:
    body = random_covariance(1, 0.1)
    np.testing.assert_allclose(to_body_order(to_message_order(body, POSE), POSE), body, atol=1e-14)


def test_a_nominal_unit_leaves_positions_uncertain_along_the_way_from_the_origin() -> None:
    exact = to_message_order(random_covariance(1, 0.01), POSE)
    wrong = with_scale_error(exact, POSE[:3, 3], Scale(ScaleState.NOMINAL, 2.0, 0.6))
    along = POSE[:3, 3] / np.linalg.norm(POSE[:3, 3])
    added = wrong - exact
    assert np.isclose(along @ added[:3, :3] @ along, (0.3 * np.linalg.norm(POSE[:3, 3])) ** 2)
    assert np.linalg.matrix_rank(added, tol=1e-12) == 1


def test_a_unit_that_is_metric_unknown_or_of_unknown_error_adds_nothing() -> None:
    exact = to_message_order(random_covariance(1, 0.01), POSE)
    for scale in (Scale(ScaleState.METRIC, 2.0, 0.6), Scale(ScaleState.RELATIVE), Scale(ScaleState.NOMINAL)):
        np.testing.assert_array_equal(with_scale_error(exact, POSE[:3, 3], scale), exact)


def test_composed_covariance_is_that_of_drawn_poses() -> None:
    rng = np.random.default_rng(0)
    first, second = random_covariance(2, 0.004), random_covariance(3, 0.004)
    T_a_b = exp_se3(np.array([0.3, 0.2, -0.5, 0.3, 0.1, -0.2]))
    exact = POSE @ T_a_b
    draws = [
        log_se3(
            np.linalg.inv(exact)
            @ POSE
            @ exp_se3(rng.multivariate_normal(np.zeros(6), first))
            @ T_a_b
            @ exp_se3(rng.multivariate_normal(np.zeros(6), second))
        )
        for _ in range(1000)
    ]
    drawn = np.cov(np.array(draws).T)
    expected = compose(first, T_a_b, second)
    assert np.abs(drawn - expected).max() < 0.25 * np.abs(expected).max()
