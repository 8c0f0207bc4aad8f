"""Colour of mucosa as a flat map: blotches, and vessels that branch and taper."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.synthetic.noise import noise_map

PINK_RGB = np.array([0.80, 0.32, 0.21], np.float32)
RED_RGB = np.array([0.66, 0.15, 0.10], np.float32)
PALE_RGB = np.array([0.88, 0.50, 0.31], np.float32)
VESSEL_RGB = np.array([0.42, 0.08, 0.09], np.float32)
_PAD = 0.25


def mucosa_map(rng: np.random.Generator, shape: tuple[int, int], pixel_m: tuple[float, float]) -> NDArray[np.float32]:
    """Linear RGB reflectance [H, W, 3] of a patch of mucosa, periodic along its columns.

    pixel_m: size of a pixel in metres (rows, columns).
    """

    def cells(metres: float) -> tuple[float, float]:
        return metres / pixel_m[0], metres / pixel_m[1]

    blotches = 0.5 * noise_map(rng, shape, cells(0.015)) + 0.35 * noise_map(rng, shape, cells(0.004))
    grain = noise_map(rng, shape, cells(0.0009))
    redness = (1 / (1 + np.exp(-1.6 * blotches)))[..., None]
    color = PINK_RGB + (redness - 0.5) * (RED_RGB - PALE_RGB) * 0.8
    color *= 1 + 0.035 * grain[..., None]
    opacity = _vessel_map(rng, shape, pixel_m)[..., None]
    return np.clip(color * (1 - opacity) + VESSEL_RGB * opacity, 0.02, 0.98).astype(np.float32)


def _vessel_map(rng: np.random.Generator, shape: tuple[int, int], pixel_m: tuple[float, float]) -> NDArray[np.float32]:
    """Opacity of the vessels in 0-1, [H, W]; drawn on a wider canvas and folded, so that columns stay periodic."""
    height, width = shape
    pad = int(_PAD * width)
    canvas = np.zeros((height, width + 2 * pad), np.uint8)
    area_m2 = height * pixel_m[0] * width * pixel_m[1]
    for _ in range(int(area_m2 / 2.2e-4)):
        start = rng.uniform((0.0, 0.0), (height * pixel_m[0], width * pixel_m[1]))
        _draw_vessel(rng, canvas, start, rng.uniform(0, 2 * np.pi), rng.uniform(3.5e-4, 7e-4), pixel_m, pad)
    folded = canvas[:, pad : pad + width].copy()
    folded[:, :pad] = np.maximum(folded[:, :pad], canvas[:, pad + width :])
    folded[:, width - pad :] = np.maximum(folded[:, width - pad :], canvas[:, :pad])
    wrapped = np.concatenate([folded[:, -8:], folded, folded[:, :8]], axis=1)
    soft = cv2.GaussianBlur(wrapped, (0, 0), 0.9)[:, 8:-8].astype(np.float32) / 255
    fade = np.clip(0.75 + 0.35 * noise_map(rng, shape, (0.02 / pixel_m[0], 0.02 / pixel_m[1])), 0.2, 1.0)
    return 0.62 * soft * fade


def _draw_vessel(
    rng: np.random.Generator,
    canvas: NDArray[np.uint8],
    start: NDArray[np.float64],
    heading: float,
    width_m: float,
    pixel_m: tuple[float, float],
    pad: int,
) -> None:
    """Draw a vessel and its branches; start (row, column) and widths in metres."""
    point = start.copy()
    while width_m > 8e-5:
        step = 1.2e-3
        heading += rng.normal(0, 0.22)
        following = point + step * np.array([np.sin(heading), np.cos(heading)])
        pixels = [(round((p[1] / pixel_m[1] + pad) * 16), round(p[0] / pixel_m[0] * 16)) for p in (point, following)]
        level = int(min(255, 110 + 3.2e5 * width_m))
        thickness = max(1, round(width_m / min(pixel_m)))
        cv2.line(canvas, pixels[0], pixels[1], level, thickness, cv2.LINE_AA, 4)
        if rng.random() < 0.13:
            turn = rng.choice([-1, 1]) * rng.uniform(0.5, 1.1)
            _draw_vessel(rng, canvas, following, heading + turn, 0.6 * width_m, pixel_m, pad)
        point, width_m = following, width_m * 0.972
