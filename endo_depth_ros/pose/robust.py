"""Huber's robust kernel, for residuals in standard deviations."""

from __future__ import annotations

import numpy as np

from endo_depth_ros.pose.lie import Array

THRESHOLD = 1.5


def huber_weights(residuals: Array) -> Array:
    """Weight of each residual in iteratively reweighted least squares."""
    return np.asarray(THRESHOLD / np.maximum(np.abs(residuals), THRESHOLD))


def robust_residuals(residuals: Array) -> tuple[Array, Array]:
    """Residuals whose squares are twice Huber's loss, and their derivative by the residuals they come from."""
    size = np.abs(residuals)
    beyond = size > THRESHOLD
    loss = np.where(beyond, np.sqrt(np.maximum(2 * THRESHOLD * size - THRESHOLD**2, 0)), size)
    slope = np.where(beyond, THRESHOLD / np.maximum(loss, THRESHOLD), 1.0)
    return np.sign(residuals) * loss, slope
