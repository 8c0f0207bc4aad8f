"""Huber's kernel, in the two forms that are needed."""

import numpy as np

from endo_depth_ros.pose.robust import THRESHOLD, huber_weights, robust_residuals

RESIDUALS = np.array([-40.0, -3.0, -1.0, 0.0, 0.5, 1.4999, 1.5001, 10.0])


def test_small_residuals_count_fully():
    small = np.abs(RESIDUALS) <= THRESHOLD
    np.testing.assert_array_equal(huber_weights(RESIDUALS)[small], 1.0)
    np.testing.assert_array_equal(robust_residuals(RESIDUALS)[small], RESIDUALS[small])


def test_weights_are_the_slope_of_the_loss():
    step = 1e-6
    loss = [0.5 * robust_residuals(RESIDUALS + sign * step) ** 2 for sign in (1, -1)]
    np.testing.assert_allclose((loss[0] - loss[1]) / (2 * step), huber_weights(RESIDUALS) * RESIDUALS, atol=1e-6)
