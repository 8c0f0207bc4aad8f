"""A sample of the pixels that a frame is judged by: inside the field of view, away from its rim, and lit."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.imaging.exposure import second_brightest

# About this many columns are enough for shares of a frame.
SAMPLE_WIDTH_PX = 110
# Darker pixels have too few levels to have a colour.
LIT_LEVEL = 30
# The lens smears the black border this far into the picture, as a share of the image's longer side.
RIM = 1 / 50


@dataclass(frozen=True)
class LitPixels:
    """Sampled pixels whose brightest channel exceeds LIT_LEVEL.

    red, green, most, second, least: uint8 [N], the latter three the channels in order of size. share: of all
    sampled pixels. brightness: level of the brightest channel that 95 % of all sampled pixels don't exceed.
    """

    red: NDArray[np.uint8]
    green: NDArray[np.uint8]
    most: NDArray[np.uint8]
    second: NDArray[np.uint8]
    least: NDArray[np.uint8]
    share: float
    brightness: int


def sample_lit_pixels(image: NDArray[np.uint8], core: NDArray[np.bool_]) -> LitPixels:
    """Every n-th pixel of an RGB image, uint8 [H, W, 3], that lies in `core`, bool [H, W], and is lit."""
    step = max(1, round(image.shape[1] / SAMPLE_WIDTH_PX))
    # Channel by channel: NumPy is slow along an axis of three.
    wanted = core[::step, ::step]
    red, green, blue = (image[::step, ::step, channel][wanted] for channel in range(3))
    most = np.maximum(np.maximum(red, green), blue)
    lit = most > LIT_LEVEL
    brightness, share = find_level(most, 0.95), share_of(lit)
    red, green, blue = red[lit], green[lit], blue[lit]
    second, least = second_brightest(red, green, blue), np.minimum(np.minimum(red, green), blue)
    return LitPixels(red, green, most[lit], second, least, share, brightness)


def find_core(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The field of view, bool [H, W], without its rim."""
    width = 2 * max(1, round(max(inside.shape) * RIM)) + 1
    padded = cv2.erode(inside.view(np.uint8), np.ones((width, width), np.uint8), borderValue=1)
    return np.asarray(padded, np.uint8).view(np.bool_)


def find_level(values: NDArray[np.uint8], quantile: float) -> int:
    """The smallest level that this share of the values doesn't exceed; 0 of none."""
    counts = np.cumsum(np.bincount(values, minlength=256))
    return int(np.searchsorted(counts, quantile * counts[-1]))


def share_of(mask: NDArray[np.bool_]) -> float:
    """Share of the mask that is True; 0 of none."""
    return int(np.count_nonzero(mask)) / max(mask.size, 1)
