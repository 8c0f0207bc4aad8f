"""How wide the edges of a picture are.

An edge of width s (a step blurred by a Gaussian of standard deviation s) has its largest gradient in proportion to 1/s.
Blurring it once more by b leaves 1/√(s² + b²), so the ratio R of the gradients before and after tells the width,
whatever the contrast: s² = b² / (R² - 1) (Zhuo and Sim, Defocus map estimation from a single image, 2011). The
gradient's ridges are measured, not slopes of shading; a picture without edges says nothing.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

WORKING_WIDTH_PX = 320
# Against noise and JPEG blocks, before the first gradient.
PREBLUR_PX, PREBLUR_KERNEL = 0.7, (5, 5)
REBLUR_PX, REBLUR_KERNEL = 1.0, (7, 7)
# A central difference blurs, too: a box two pixels wide.
DIFFERENCE_VARIANCE_PX2 = 1 / 3
# Gradient that noise does not reach after both blurs, in levels per pixel.
MIN_GRADIENT = 2.0
# A ridge is where the gradient is not much below the largest in 5x5 pixels.
RIDGE = 0.93
RIDGE_WINDOW = np.ones((5, 5), np.uint8)
MIN_RIDGE_PIXELS = 50
# The sharpest quarter: in focus something is sharp, although soft folds and far walls are not.
SHARP_QUANTILE = 0.75


def measure_edge_width(image: NDArray[np.uint8], core: NDArray[np.bool_], width_px: int = WORKING_WIDTH_PX) -> float:
    """Width of the sharper edges: standard deviation in pixels of the image at width_px; NaN where no edges are.

    image: uint8 [H, W, 3], RGB; only green is used, in which tissue has most contrast. core: bool [H, W], where to
    look, away from the field of view's rim.
    """
    green = np.ascontiguousarray(image[..., 1])
    if image.shape[1] > width_px:
        size = (width_px, max(1, round(image.shape[0] * width_px / image.shape[1])))
        green = np.asarray(cv2.resize(green, size, interpolation=cv2.INTER_AREA), np.uint8)
        core = np.asarray(cv2.resize(core.view(np.uint8), size, interpolation=cv2.INTER_NEAREST), np.uint8) > 0
    smooth = cv2.GaussianBlur(green.astype(np.float32), PREBLUR_KERNEL, PREBLUR_PX)
    fine = squared_gradient(smooth)
    coarse = squared_gradient(cv2.GaussianBlur(smooth, REBLUR_KERNEL, REBLUR_PX))
    ridge = core & (coarse > MIN_GRADIENT**2) & (coarse >= RIDGE**2 * cv2.dilate(coarse, RIDGE_WINDOW))
    ratio = fine[ridge] / coarse[ridge]  # R²
    if len(ratio) < MIN_RIDGE_PIXELS:
        return math.nan
    place = int(SHARP_QUANTILE * (len(ratio) - 1))
    excess = float(np.partition(ratio, place)[place]) - 1
    if excess <= 0:
        return math.inf
    variance = REBLUR_PX**2 / excess - PREBLUR_PX**2 - DIFFERENCE_VARIANCE_PX2
    return math.sqrt(max(variance, 0.0))


def squared_gradient(image: NDArray) -> NDArray[np.float32]:
    """Squared length of the gradient by central differences, float32 [H, W], in levels² per pixel²."""
    x = np.asarray(cv2.Sobel(image, cv2.CV_32F, 1, 0, ksize=1, scale=0.5), np.float32)
    y = np.asarray(cv2.Sobel(image, cv2.CV_32F, 0, 1, ksize=1, scale=0.5), np.float32)
    np.multiply(x, x, out=x)
    np.multiply(y, y, out=y)
    return np.add(x, y, out=x)
