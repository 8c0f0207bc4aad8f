"""The image that points are followed in: grey, with brightness and contrast evened out around every pixel."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

# Width of the surroundings as a share of the image width: light falls off over more, tissue's texture over less.
SURROUNDINGS = 1 / 14
# Contrast below this standard deviation (of 255) is the sensor's noise and not stretched to texture.
NOISE_FLOOR = 4.0
STRETCH = 40.0


def even_out(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8 [H, W] from RGB [H, W, 3]: (green - mean) / deviation of the surroundings, 128 in the middle.

    A light that moves with the camera and an exposure that is regulated change brightness by a factor and an offset
    that vary slowly over the image: both cancel. Green, since blood and mucosa differ most there.
    """
    green = image[..., 1].astype(np.float32)
    width = 2 * max(round(image.shape[1] * SURROUNDINGS / 2), 2) + 1
    mean = cv2.blur(green, (width, width))
    variance = cv2.blur(green * green, (width, width)) - mean * mean
    evened = (green - mean) * (STRETCH / np.sqrt(np.maximum(variance, 0) + NOISE_FLOOR**2))
    return np.asarray(np.clip(evened + 128, 0, 255), np.uint8)
