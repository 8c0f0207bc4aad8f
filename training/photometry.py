"""Colours that no sensor model foresees: hue, saturation, channel gains, gamma, hidden patches."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

GREY = np.full((3, 3), 1 / 3)


def jitter_colours(image: NDArray[np.uint8], rng: np.random.Generator, strength: float) -> NDArray[np.uint8]:
    """Another hue, saturation, gain and gamma of an RGB image [H, W, 3]; strength 0 changes nothing, 1 a lot."""
    hue = rng.normal(0, 0.25 * strength)
    saturation = 0.0 if rng.random() < 0.03 * strength else math.exp(rng.normal(0, 0.25 * strength))
    matrix = saturation * _hue_rotation(hue) + (1 - saturation) * GREY
    if rng.random() < 0.03 * strength:
        matrix = matrix[rng.permutation(3)]
    gamma = math.exp(rng.normal(0, 0.35 * strength))
    gains = math.exp(rng.normal(0, 0.6 * strength)) * np.exp(rng.normal(0, 0.06 * strength, 3))
    levels = (np.arange(256) / 255)[:, None] ** gamma * gains
    table = (np.clip(levels, 0, 1) * 255 + 0.5).astype(np.uint8)[None]
    return np.asarray(cv2.LUT(cv2.transform(image, matrix), table), np.uint8)


def hide_patches(image: NDArray[np.uint8], rng: np.random.Generator) -> None:
    """Fill one to three boxes of the image [H, W, 3] with one colour each, in place."""
    height, width = image.shape[:2]
    for _ in range(rng.integers(1, 4)):
        h, w = (rng.uniform(0.05, 0.22, 2) * [height, width]).astype(int)
        y, x = int(rng.integers(0, height - h)), int(rng.integers(0, width - w))
        image[y : y + h, x : x + w] = rng.integers(0, 256, 3)


def _hue_rotation(angle: float) -> NDArray[np.float64]:
    """Rotation about the grey axis, [3, 3] (Rodrigues)."""
    axis = np.full(3, 1 / math.sqrt(3))
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    return np.eye(3) + math.sin(angle) * cross + (1 - math.cos(angle)) * cross @ cross
