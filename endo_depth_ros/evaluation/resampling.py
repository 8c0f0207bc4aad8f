"""Predictions in the pixels of the truth: another size, or the raw view of a rectified prediction."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.geometry.camera import Camera
from endo_depth_ros.geometry.projection import raw_pixel_rays

DepthMap = NDArray[np.float32]


def resize_as_disparity(depth: NDArray[np.floating], width: int, height: int) -> DepthMap:
    """Depth [h, w] as float32 [height, width], bilinear in 1 / depth as the evaluation of AF-SfMLearner resizes it.

    A pixel without depth leaves those that depend on it without.
    """
    disparity = _disparity(depth)
    return _depth(cv2.resize(disparity, (width, height), interpolation=cv2.INTER_LINEAR))


def to_raw_view(depth: NDArray[np.floating], rectified: Camera, raw: Camera) -> DepthMap:
    """Rectified depth [h, w] as the raw camera's z in its own pixels [H, W], NaN where it was not seen.

    The inverse of truth.rectify_truth, which moves the prediction and leaves published truth as it is.
    rectified: the pinhole of `depth`. raw: the camera of the image that was rectified, with its R.
    """
    columns, rows, z = _rectified_pixels(rectified, raw)
    disparity = cv2.remap(
        _disparity(depth), columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=np.nan
    )
    # A point at rectified depth z lies at z / rays_z times the ray, whose z in the raw frame is one.
    return (_depth(disparity) / z).astype(np.float32)


@lru_cache(maxsize=2)
def _rectified_pixels(rectified: Camera, raw: Camera) -> tuple[NDArray[Any], ...]:
    """Where each raw pixel lies in the rectified image (column, row), and its ray's rectified z."""
    rays = raw_pixel_rays(raw) @ raw.R.T
    with np.errstate(divide="ignore", invalid="ignore"):
        where = (rays @ rectified.K.T)[..., :2] / rays[..., 2:]
    where = np.where(rays[..., 2:] > 0, where, -10.0).astype(np.float32)
    return where[..., 0], where[..., 1], rays[..., 2]


def _disparity(depth: NDArray[np.floating]) -> DepthMap:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.isfinite(depth) & (depth > 0), 1 / depth, np.nan).astype(np.float32)


def _depth(disparity: NDArray[Any]) -> DepthMap:
    return (1 / disparity).astype(np.float32)
