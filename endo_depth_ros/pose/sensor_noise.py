"""How noisy an image is."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

# Its response to a straight ramp or edge is zero, to noise six standard deviations (Immerkaer 1996).
NOISE_MASK = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
MEDIAN_TO_DEVIATION = 1 / (0.6745 * 6)
STRIDE = 3  # every ninth pixel is enough for a median
ROUNDING = 0.3  # grey levels, 1 / √12


def measure_noise(grey: NDArray[np.uint8], tissue: NDArray[np.bool_]) -> float:
    """Standard deviation of an image's noise, [H, W], in grey levels, where `tissue` [H, W] is; at least ROUNDING."""
    inner = cv2.erode(tissue.view(np.uint8), np.ones_like(NOISE_MASK, np.uint8)).view(np.bool_)
    response = np.abs(cv2.filter2D(grey, cv2.CV_16S, NOISE_MASK)[::STRIDE, ::STRIDE][inner[::STRIDE, ::STRIDE]])
    typical = float(np.median(response)) if response.size else 0.0
    return max(typical * MEDIAN_TO_DEVIATION, ROUNDING)
