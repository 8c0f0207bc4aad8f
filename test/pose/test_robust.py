"""Huber's kernel, in the two forms that are needed, and Cauchy's."""

import numpy as np
import pytest

from endo_depth_ros.pose.robust import THRESHOLD, cauchy_weights, huber_weights, robust_residuals

RESIDUALS = np.array([-40.0, -3.0, -1.0, 0.0, 0.5, 1.4999, 1.5001, 10.0])


def test_small_residuals_count_fully():
    small = np.abs(RESIDUALS) <= THRESHOLD
    np.testing.assert_array_equal(huber_weights(RESIDUALS)[small], 1.0)
    np.testing.assert_array_equal(robust_residuals(RESIDUALS)[small], RESIDUALS[small])


def test_weights_are_the_slope_of_the_loss():
    step = 1e-6
    loss = [0.5 * robust_residuals(RESIDUALS + sign * step) ** 2 for sign in (1, -1)]
    np.testing.assert_allclose((loss[0] - loss[1]) / (2 * step), huber_weights(RESIDUALS) * RESIDUALS, atol=1e-6)


def test_cauchys_pull_grows_up_to_the_threshold_and_dies_down_beyond() -> None:
    pull = cauchy_weights(RESIDUALS) * RESIDUALS
    assert np.abs(pull).max() <= THRESHOLD / 2 + 1e-12
    np.testing.assert_allclose(cauchy_weights(np.array([0.0, THRESHOLD])), [1.0, 0.5])
    far = np.array([10.0, 20.0]) * THRESHOLD
    pulled = cauchy_weights(far) * far
    assert pulled[1] / pulled[0] == pytest.approx(0.5, rel=0.01)
