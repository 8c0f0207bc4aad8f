"""Depth that agrees with the motion of the camera: with what a smooth field and single points say it lacks."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from endo_depth_ros.contracts import DepthEstimate
from endo_depth_ros.pose.depth_field import DepthField
from endo_depth_ros.pose.local_depth import DepthPoints, local_errors


@dataclass(frozen=True)
class DepthFromMotion:
    """What the camera's motion says of a frame's depth.

    smooth: the field of what the depth has to be multiplied by to agree with the map. points: landmarks in it.
    """

    smooth: DepthField
    points: DepthPoints = field(default_factory=DepthPoints)


def refine_depth(estimate: DepthEstimate, motion: DepthFromMotion, shared_error: float) -> DepthEstimate:
    """The estimate with depth and sigma as the motion makes them, in the unit of the map; the same pixels are valid.

    shared_error: the factor on standard deviations that the field's covariance has in it, and that of points, which is
    given the poses, has not (PoseSettings).
    """
    shape, valid = (estimate.depth.shape[0], estimate.depth.shape[1]), estimate.valid
    smooth = motion.smooth.log_factor(shape)
    with np.errstate(invalid="ignore", divide="ignore"):  # of what is too near or too far
        log_depth = np.where(valid, np.log(estimate.depth) + smooth, np.float32(np.nan))
        own_sigma = estimate.sigma / estimate.depth
    points = replace(motion.points, log_sigma=motion.points.log_sigma * shared_error)
    near_points, local_sigma = local_errors(points, log_depth, own_sigma)
    # Where the estimate has depth but no sigma, nobody knows how far to believe points.
    correction = smooth + np.where(valid & np.isfinite(near_points), near_points, np.float32(0))
    depth = estimate.depth * np.exp(correction)
    sigma = np.hypot(local_sigma, motion.smooth.log_sigma(shape) / np.float32(shared_error)) * depth
    return replace(estimate, depth=depth, sigma=np.where(valid, sigma, np.float32(np.nan)))
