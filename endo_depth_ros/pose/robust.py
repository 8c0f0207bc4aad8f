"""Robust kernels, for residuals in standard deviations: Huber's, and Cauchy's, which forgets what is far off."""

from __future__ import annotations

import numpy as np

from endo_depth_ros.pose.lie import Array

THRESHOLD = 1.5


def huber_weights(residuals: Array) -> Array:
    """Weight of each residual in iteratively reweighted least squares."""
    return np.asarray(THRESHOLD / np.maximum(np.abs(residuals), THRESHOLD))


def cauchy_weights(residuals: Array) -> Array:
    """The same for Cauchy's kernel: far beyond the threshold, twice as far off is half as much pull."""
    return np.asarray(1 / (1 + np.square(residuals / THRESHOLD)))


def robust_residuals(residuals: Array) -> Array:
    """Residuals whose squares are twice Huber's loss."""
    size = np.abs(residuals)
    loss = np.where(size > THRESHOLD, np.sqrt(np.maximum(2 * THRESHOLD * size - THRESHOLD**2, 0)), size)
    return np.sign(residuals) * loss
