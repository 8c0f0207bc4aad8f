"""True depth of a raw image, seen as the rectified image that an estimate belongs to."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.geometry.camera import Camera
from endo_depth_ros.geometry.projection import project
from endo_depth_ros.geometry.rectification import pixel_rays


def rectify_truth(truth: NDArray[np.float32], raw: Camera, rectified: Camera) -> NDArray[np.float32]:
    """Depth [H, W] of a raw image as float32 z in the rectified pinhole (K of `rectified`, R of `raw`), NaN for none.

    Takes the nearest raw pixel: a mean of both sides of an edge would be the depth of neither.
    """
    columns, rows, z, seen = _raw_pixels(raw, rectified)
    nearest = cv2.remap(
        truth.astype(np.float32), columns, rows, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT, borderValue=np.nan
    )
    return np.where(seen, nearest / z, np.nan).astype(np.float32)


@lru_cache(maxsize=2)
def _raw_pixels(raw: Camera, rectified: Camera) -> tuple[NDArray[Any], ...]:
    """Where each rectified pixel lies in the raw image (column, row), its ray's raw z, and whether it was seen."""
    shape = (rectified.height, rectified.width)
    # R turns the raw frame into the rectified one, so rows times R are rays in the raw frame.
    rays = pixel_rays(rectified).reshape(-1, 3) @ raw.R
    where, seen = project(raw, rays)
    columns, rows = where.T.reshape(2, *shape).astype(np.float32)
    return columns, rows, rays[:, 2].reshape(shape), seen.reshape(shape)
