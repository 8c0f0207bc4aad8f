"""Pinhole cameras as varied as those of rectified endoscopes."""

from __future__ import annotations

import math

import numpy as np

from endo_depth_ros.geometry.camera import Camera

MIN_HFOV_DEG, MAX_HFOV_DEG = 45.0, 130.0


def draw_camera(rng: np.random.Generator, width: int, height: int) -> Camera:
    """A calibrated pinhole of a width × height image, 45 to 130 degrees wide, most of them around 80.

    The principal point is up to 5 % of the width and height off centre, fy within 1 % of fx.
    """
    hfov = math.radians(rng.triangular(MIN_HFOV_DEG, 80.0, MAX_HFOV_DEG))
    fx = 0.5 * width / math.tan(hfov / 2)
    fy = fx * rng.uniform(0.99, 1.01)
    off_centre = np.clip(rng.normal(0, 0.02, 2), -0.05, 0.05)
    cx = (width - 1) / 2 + off_centre[0] * width
    cy = (height - 1) / 2 + off_centre[1] * height
    return Camera(width, height, np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1.0]]))
