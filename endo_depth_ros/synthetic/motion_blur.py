"""Blur of a camera that moves while its shutter is open."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.geometry.camera import Camera
from endo_depth_ros.geometry.transforms import invert_transform, transform_points
from endo_depth_ros.synthetic.light import light_of


def blur_motion(radiance: NDArray[Any], motion_px: tuple[float, float]) -> NDArray[Any]:
    """Radiance [H, W, 3] smeared evenly along motion_px, to the right and down, while the shutter is open."""
    light = light_of(radiance)
    length = math.hypot(*motion_px)
    if length < 0.3:
        return light
    # Long smears are taken from a smaller picture: nothing finer is left along them, and little across.
    shrink = max(1, int(length // 10))
    small = cv2.resize(light, None, fx=1 / shrink, fy=1 / shrink, interpolation=cv2.INTER_AREA) if shrink > 1 else light
    kernel = _line((motion_px[0] / shrink, motion_px[1] / shrink))
    smeared = cv2.filter2D(small, -1, kernel, borderType=cv2.BORDER_REPLICATE)
    return smeared if shrink == 1 else cv2.resize(smeared, (light.shape[1], light.shape[0]))


def _line(motion_px: tuple[float, float]) -> NDArray[np.float32]:
    """An antialiased line through the middle of an odd square, float32, of sum 1."""
    reach = math.ceil(max(abs(motion_px[0]), abs(motion_px[1])) / 2)
    kernel = np.zeros((2 * reach + 2, 2 * reach + 2), np.float32)
    samples = 8 * reach
    for along in (np.arange(samples) + 0.5) / samples - 0.5:
        x, y = reach + along * motion_px[0], reach + along * motion_px[1]
        column, row = int(x), int(y)
        right, lower = x - column, y - row
        kernel[row : row + 2, column : column + 2] += np.outer((1 - lower, lower), (1 - right, right))
    return kernel[:-1, :-1] / kernel[:-1, :-1].sum()


def image_motion(
    camera: Camera, depth: NDArray[np.float32], T_world_before: NDArray[np.float64], T_world_after: NDArray[np.float64]
) -> tuple[float, float]:
    """Median motion of the picture in pixels, right and down, of a pinhole camera that goes from one pose to another.

    depth: z in metres at the first pose, [H, W]; NaN doesn't count.
    """
    motion = image_displacements(camera, depth, T_world_before, T_world_after)
    dx, dy = np.median(motion, axis=0) if len(motion) else (0.0, 0.0)
    return float(dx), float(dy)


def image_displacements(
    camera: Camera, depth: NDArray[np.float32], T_world_before: NDArray[np.float64], T_world_after: NDArray[np.float64]
) -> NDArray[np.float64]:
    """How far pixels of a coarse grid move, [N, 2], right and down; arguments as of image_motion."""
    step = max(1, camera.height // 16)
    z = depth[step // 2 :: step, step // 2 :: step].astype(np.float64)
    rows, columns = np.nonzero(np.isfinite(z))
    z = z[rows, columns]
    pixels = np.stack([columns, rows], axis=1) * step + step // 2
    rays = np.column_stack([pixels, np.ones(len(z))]) @ np.linalg.inv(camera.K).T
    points = transform_points(invert_transform(T_world_after) @ T_world_before, rays * z[:, None])
    seen = points[:, 2] > 0.1 * z
    projected = points[seen] @ camera.K.T
    motion: NDArray[np.float64] = projected[:, :2] / projected[:, 2:] - pixels[seen]
    return motion
