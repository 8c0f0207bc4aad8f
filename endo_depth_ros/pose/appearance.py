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
KERNEL = (9, 9)  # of the smoothing, three standard deviations to either side
# Contrast below this standard deviation (of 255) is what is left of the noise and not stretched to texture.
NOISE_FLOOR = 1.5
STRETCH = 40.0
LEAST = 1e-3  # share that something is divided by
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
    inner = cv2.erode(tissue.view(np.uint8), RIM, borderType=cv2.BORDER_CONSTANT, borderValue=1)
    seen = cv2.bitwise_and(inner, 1 - find_highlights(image, tissue).view(np.uint8)).astype(np.float32)
    green = np.ascontiguousarray(image[..., 1])
    weight = np.maximum(cv2.GaussianBlur(seen, KERNEL, SMOOTHING_PX), LEAST)
    smooth = cv2.GaussianBlur(green * seen, KERNEL, SMOOTHING_PX) / weight * seen
    box = (2 * max(round(image.shape[1] * SURROUNDINGS / 2), 2) + 1,) * 2
    share = cv2.blur(seen, box)
    weight = np.maximum(share, LEAST)
    mean = cv2.blur(smooth, box) / weight
    variance = np.maximum(cv2.blur(smooth * smooth, box) / weight - mean * mean, 0.0)
    # A mean of one side only leaves the light's fall, which stands still: contrast fades towards the rim.
    stretch = np.maximum(2 * share - 1, 0.0) * (STRETCH / np.sqrt(variance + NOISE_FLOOR**2))
    grey = np.clip((smooth - mean) * stretch * seen + MIDDLE, 0, 255).astype(np.uint8)
    return Picture(grey, np.asarray(measure_noise(green, tissue) * stretch, np.float32))
