"""Depth at single pixels, as logarithms, and the pixels where that means something."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.contracts import DepthEstimate
from endo_depth_ros.pose.lie import Array
from endo_depth_ros.pose.settings import PoseSettings

EDGE_RADIUS_PX = 2
# Depth that changes by more than this within EDGE_RADIUS_PX belongs to an edge, where a pixel means two surfaces.
EDGE_RATIO = 1.15
RIM_PX = 5


def sample_log_depth(estimate: DepthEstimate, pixels: Array, settings: PoseSettings) -> tuple[Array, Array]:
    """Logarithm of depth [N] at pixels [N, 2] (NaN for none) and its standard deviation [N] for the tracker."""
    depth = sample_nearest(estimate.depth, pixels)
    known = np.isfinite(depth) & (depth > 0)
    safe = np.where(known, depth, 1.0)
    sigma = np.where(known, sample_nearest(estimate.sigma, pixels), 1.0) / safe
    sigma = np.clip(np.nan_to_num(sigma, nan=1.0), settings.depth_log_sigma, 1.0) * settings.depth_correlation
    return np.where(known, np.log(safe), np.nan), sigma


def sample_nearest(image: NDArray[np.float32], pixels: Array) -> Array:
    """Values [N] of an image [H, W] at the pixels nearest to pixels [N, 2], which may lie beyond its rim."""
    height, width = image.shape
    column = np.clip(np.rint(pixels[:, 0]).astype(np.intp), 0, width - 1)
    row = np.clip(np.rint(pixels[:, 1]).astype(np.intp), 0, height - 1)
    return image[row, column].astype(np.float64)


def find_usable(estimate: DepthEstimate, trusted: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    """Pixels where a landmark may be born, bool [H, W]: with depth, on one surface, off rims, highlights and masks.

    trusted: bool [H, W], False on instruments, None where nobody knows.
    """
    valid = estimate.valid if trusted is None else estimate.valid & trusted
    safe = np.where(estimate.valid & (estimate.depth > 0), estimate.depth, np.float32(np.nan))
    far = np.where(np.isnan(safe), np.float32(0), safe)
    near = np.where(np.isnan(safe), np.float32(1e9), safe)
    kernel = np.ones((2 * EDGE_RADIUS_PX + 1,) * 2, np.uint8)
    smooth = cv2.dilate(far, kernel) < EDGE_RATIO * cv2.erode(near, kernel)
    rim = np.ones((2 * RIM_PX + 1,) * 2, np.uint8)
    inner = cv2.erode(valid.astype(np.uint8), rim, borderType=cv2.BORDER_CONSTANT, borderValue=0).astype(bool)
    return np.asarray(inner & smooth, np.bool_)
