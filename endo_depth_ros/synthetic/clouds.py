"""Soft random clouds that drift: how thick smoke and blood are at each pixel."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.synthetic.noise import noise_map

_SIDE, _LARGEST_CELL = 256, 96.0


def cloud(rng: np.random.Generator, width: int, height: int, size: float, time_s: float = 0.0) -> NDArray[Any]:
    """Cloudiness float32 [H, W] of mean 0 and standard deviation 1 over the picture.

    size: of the largest clouds, in image heights, of which they drift a sixteenth in a second of time_s.
    """
    angle, drift_angle = rng.uniform(0, 2 * math.pi, 2)
    start, drift = rng.uniform(0, _SIDE, 2), 6.0 * time_s * np.array([math.cos(drift_angle), math.sin(drift_angle)])
    scale = _LARGEST_CELL / (size * height)
    c, s = scale * math.cos(angle), scale * math.sin(angle)
    x, y = start + drift
    matrix = np.array([[c, -s, x], [s, c, y]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    clouds = cv2.warpAffine(_cloud_texture(), matrix, (width, height), flags=flags, borderMode=cv2.BORDER_WRAP)
    sample = clouds[::8, ::8]
    return (clouds - sample.mean()) * (1 / sample.std())


@lru_cache(maxsize=1)
def _cloud_texture() -> NDArray[np.float32]:
    """Periodic clouds with finer ones in them, float32 [256, 256]."""
    rng = np.random.default_rng(11)
    layers = ((1.0, _LARGEST_CELL), (0.6, 40.0), (0.3, 16.0))
    texture = sum(share * noise_map(rng, (_SIDE, _SIDE), (cell, cell)) for share, cell in layers)
    return np.asarray(texture / np.std(texture), np.float32)
