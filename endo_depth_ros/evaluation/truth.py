"""True depth of a raw image, seen as the rectified image that an estimate belongs to."""

from __future__ import annotations

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
    shape = (rectified.height, rectified.width)
    # R turns the raw frame into the rectified one, so rows times R are rays in the raw frame.
    rays = pixel_rays(rectified).reshape(-1, 3) @ raw.R
    where, seen = project(raw, rays)
    columns, rows = where.T.reshape(2, *shape).astype(np.float32)
    nearest = cv2.remap(
        truth.astype(np.float32), columns, rows, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT, borderValue=np.nan
    )
    depth = nearest / rays[:, 2].reshape(shape)
    return np.where(seen.reshape(shape), depth, np.nan).astype(np.float32)
