"""Depth that agrees with the camera's motion: a frame's own, times the smooth field that it was found to lack."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from endo_depth_ros.contracts import DepthEstimate
from endo_depth_ros.pose.depth_field import DepthField

# Of the variance of a network's depth: what is no smooth field and stays (docs/pose.md, "Depth from motion").
LOCAL_SHARE = 0.3


def refine_depth(estimate: DepthEstimate, field: DepthField, shared_error: float) -> DepthEstimate:
    """The estimate with depth and sigma as the field makes them, in the unit of the map; the same pixels are valid.

    shared_error: the factor on standard deviations that the field's covariance has in it (PoseSettings).
    """
    shape = (estimate.depth.shape[0], estimate.depth.shape[1])
    factor = np.exp(field.log_factor(shape))
    field_sigma = field.log_sigma(shape) / np.float32(shared_error)
    with np.errstate(invalid="ignore"):  # infinities of what is too near or too far
        depth = estimate.depth * factor
        sigma = np.hypot(np.float32(np.sqrt(LOCAL_SHARE)) * estimate.sigma * factor, field_sigma * depth)
    return replace(estimate, depth=depth, sigma=np.where(estimate.valid, sigma, np.float32(np.nan)))
