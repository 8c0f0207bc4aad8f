"""Covariances of poses in the orders of the graph and of messages."""

from __future__ import annotations

import numpy as np

from endo_depth_ros.pose.covariance import compose, to_body_order, to_message_order
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
