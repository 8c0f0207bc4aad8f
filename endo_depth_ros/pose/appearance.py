"""The picture that points are followed in: grey, with brightness and contrast evened out around every pixel."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.pose.highlights import find_highlights
from endo_depth_ros.pose.sensor_noise import measure_noise

# Width of the surroundings as a share of the image width: light falls off over more, tissue's texture over less.
SURROUNDINGS = 1 / 14
# What bare mucosa shows is faint and several pixels wide; of the sensor's noise this leaves a quarter.
SMOOTHING_PX = 1.25
# Contrast below this standard deviation (of 255) is what is left of the noise and not stretched to texture.
NOISE_FLOOR = 1.5
STRETCH = 40.0
MIDDLE = 128
# The outermost pixels of the scope's view and those around highlights are half of what they border on.
RIM = np.ones((7, 7), np.uint8)


@dataclass(frozen=True, eq=False)
class Picture:
    """grey: uint8 [H, W], MIDDLE on average and where no tissue is seen. noise: float32 [H, W], in its grey levels.

    noise is one standard deviation of what the sensor added to the pixel, before it was smoothed.
    """

    grey: NDArray[np.uint8]
    noise: NDArray[np.float32]


def even_out(image: NDArray[np.uint8], tissue: NDArray[np.bool_]) -> Picture:
    """(green - mean) / deviation of the surroundings, from RGB [H, W, 3] and where tissue is seen, [H, W].

    A light that moves with the camera and an exposure that is regulated change brightness by a factor and an offset
    that vary slowly over the image: both cancel. Green, since blood and mucosa differ most there. What is no tissue
    counts nowhere: the scope's rim stands still, highlights and instruments move otherwise than tissue does.
    """
    inner = cv2.erode(tissue.astype(np.uint8), RIM, borderType=cv2.BORDER_CONSTANT, borderValue=1).astype(bool)
    inner &= ~find_highlights(image, tissue)
    seen, green = inner.astype(np.float32), image[..., 1].astype(np.float32)
    share = np.maximum(cv2.GaussianBlur(seen, (0, 0), SMOOTHING_PX), 1e-3)
    smooth = cv2.GaussianBlur(green * seen, (0, 0), SMOOTHING_PX) / share * seen
    width = 2 * max(round(image.shape[1] * SURROUNDINGS / 2), 2) + 1
    share = np.maximum(cv2.blur(seen, (width, width)), 1e-3)
    mean = cv2.blur(smooth, (width, width)) / share
    variance = cv2.blur(smooth * smooth, (width, width)) / share - mean * mean
    stretch = STRETCH / np.sqrt(np.maximum(variance, 0) + NOISE_FLOOR**2)
    # A mean of one side only leaves the light's fall, which stands still: contrast fades towards the rim.
    stretch *= np.clip(2 * share - 1, 0, 1)
    grey = np.clip((smooth - mean) * stretch * seen + MIDDLE, 0, 255).astype(np.uint8)
    return Picture(grey, np.asarray(measure_noise(image[..., 1], tissue) * stretch, np.float32))
