"""Huber's robust kernel, for residuals in standard deviations."""

from __future__ import annotations

import numpy as np

from endo_depth_ros.pose.lie import Array

THRESHOLD = 1.5


def huber_weights(residuals: Array) -> Array:
    """Weight of each residual in iteratively reweighted least squares."""
    return np.asarray(THRESHOLD / np.maximum(np.abs(residuals), THRESHOLD))


def robust_residuals(residuals: Array) -> Array:
    """Residuals whose squares are twice Huber's loss."""
    size = np.abs(residuals)
    loss = np.where(size > THRESHOLD, np.sqrt(np.maximum(2 * THRESHOLD * size - THRESHOLD**2, 0)), size)
    return np.sign(residuals) * loss
