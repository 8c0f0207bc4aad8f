"""Pixels that tell nothing about the tissue: too dark, saturated, or the lamp's own mirror image."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Channel = NDArray[np.uint8]

# A highlight is white although the tissue around it is not: bright, little colour, brighter than its surroundings.
HIGHLIGHT_LEVEL = 178
HIGHLIGHT_SATURATION_BITS = 2  # colour: less than 2^-2 of the brightest channel
HIGHLIGHT_CONTRAST = 1.35
# Width of the surroundings that a highlight is compared with, as a share of the image width.
SURROUNDINGS = 1 / 16
# Highlights bleed into their neighbours through the lens and chroma subsampling.
HIGHLIGHT_HALO_PX = 2


@dataclass(frozen=True)
class Exposure:
    """Masks of one image, bool [H, W]."""

    dark: NDArray[np.bool_]
    saturated: NDArray[np.bool_]
    specular: NDArray[np.bool_]

    @property
    def good(self) -> NDArray[np.bool_]:
        """Pixels whose colour and brightness can be believed."""
        return ~(self.dark | self.saturated | self.specular)


def judge_exposure(
    image: NDArray[np.uint8], inside: NDArray[np.bool_], dark_level: int, saturated_level: int
) -> Exposure:
    """Find dark, saturated and specular pixels.

    image: uint8 [H, W, 3], RGB. inside: bool [H, W], the field of view; the black outside is no surroundings to be
    brighter than. Levels are in 0-255: of the brightest channel for dark, of the second brightest for saturated, since
    close tissue fills the red of many a video while green and blue still tell how bright it is.
    """
    red, green, blue = (np.asarray(channel, np.uint8) for channel in cv2.split(image))
    most = np.asarray(cv2.max(cv2.max(red, green), blue), np.uint8)
    least = np.asarray(cv2.min(cv2.min(red, green), blue), np.uint8)
    # In whole numbers, which are faster than fractions: most - least < most / 4.
    white = (most > HIGHLIGHT_LEVEL) & (most - least <= (most - 1) >> HIGHLIGHT_SATURATION_BITS)
    specular = white & exceeds_surroundings(least, inside) if white.any() else white
    saturated = second_brightest(red, green, blue) >= saturated_level
    return Exposure(most <= dark_level, saturated, dilate(specular, HIGHLIGHT_HALO_PX))


def second_brightest(red: Channel, green: Channel, blue: Channel) -> Channel:
    """The middle one of the three levels of each pixel, uint8 of their shape."""
    return np.maximum(np.minimum(red, green), np.minimum(np.maximum(red, green), blue))


def exceeds_surroundings(levels: NDArray[np.uint8], inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where a level [H, W] is HIGHLIGHT_CONTRAST times the mean of those around it that are inside."""
    width = 2 * max(round(levels.shape[1] * SURROUNDINGS / 2), 3) + 1
    seen = inside.view(np.uint8)
    support = cv2.boxFilter(seen, cv2.CV_32F, (width, width))
    total = cv2.boxFilter(levels * seen, cv2.CV_32F, (width, width))
    return np.asarray(levels * support > np.float32(HIGHLIGHT_CONTRAST) * total, np.bool_)


def dilate(mask: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    """Grow a bool mask [H, W] by a square of the given radius in pixels."""
    square = np.ones((2 * radius + 1, 2 * radius + 1), np.uint8)
    return np.asarray(cv2.dilate(mask.view(np.uint8), square), np.uint8).view(np.bool_)
