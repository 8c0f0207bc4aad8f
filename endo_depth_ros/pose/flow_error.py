"""How far points stray that are followed from one image to another: less across an edge than along it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.pose.lie import Array

# Gradients are those of a picture this much smoother, so that the sensor's noise is not taken for texture.
SMOOTHING_PX = 2.0
# Patches differ by more than noise, since light and perspective move: by 1.0 to 1.3 times as much over 6 to 15 px on
# renderings with little and with much noise. Neighbours have some of that in common, for which it is twice here.
EXCESS = 2.0
# Nothing is followed worse than that and still found back.
MOST_PX = 5.0
# Its response to a straight ramp or edge is zero, to noise six standard deviations (Immerkaer 1996).
NOISE_MASK = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
MEDIAN_TO_DEVIATION = 1 / (0.6745 * 6)
ROUNDING = 0.3  # grey levels, 1 / √12


def flow_covariance(
    picture: NDArray[np.uint8], usable: NDArray[np.bool_], pixels: NDArray[np.float32], window_px: int, sigma_px: float
) -> Array:
    """Covariance [N, 2, 2], in pixels², of where points of a picture will be found in another one.

    picture: uint8 [H, W]. usable: bool [H, W], pixels with tissue. pixels: [N, 2], middles of patches of window_px.
    sigma_px: of a point with any amount of texture. What is added is the Cramér-Rao bound of patches that differ by
    noise: 2 n² (Σ ∇I ∇Iᵀ)⁻¹ (Robinson and Milanfar, Fundamental performance limits in image registration, 2004).
    """
    information = sum_of_gradients(picture, pixels, window_px) / (2 * (EXCESS * measure_noise(picture, usable)) ** 2)
    information += np.eye(2) / MOST_PX**2
    return np.asarray(np.linalg.inv(information) + sigma_px**2 * np.eye(2), np.float64)


def sum_of_gradients(picture: NDArray[np.uint8], pixels: NDArray[np.float32], window_px: int) -> Array:
    """Σ ∇I ∇Iᵀ over the patches around `pixels` [N, 2], [N, 2, 2]; I is the smoothed picture."""
    smooth = cv2.GaussianBlur(picture.astype(np.float32), (0, 0), SMOOTHING_PX)
    x, y = (cv2.Sobel(smooth, cv2.CV_32F, *order, ksize=3, scale=1 / 8) for order in ((1, 0), (0, 1)))
    column, row = np.rint(pixels).astype(np.intp).T
    size = (window_px, window_px)
    xx, xy, yy = (cv2.boxFilter(each, -1, size, normalize=False)[row, column] for each in (x * x, x * y, y * y))
    return np.asarray(np.stack([xx, xy, xy, yy], axis=-1).reshape(-1, 2, 2), np.float64)


def measure_noise(picture: NDArray[np.uint8], usable: NDArray[np.bool_]) -> float:
    """Standard deviation of the picture's noise, in grey levels, at least that of rounding."""
    response = np.abs(cv2.filter2D(picture, cv2.CV_32F, NOISE_MASK))[usable]
    typical = float(np.median(response)) if response.size else 0.0
    return max(typical * MEDIAN_TO_DEVIATION, ROUNDING)


def whitening(covariance: Array) -> Array:
    """W [N, 2, 2] with Wᵀ W = covariance⁻¹, lower triangular."""
    a, b, c = covariance[:, 0, 0], covariance[:, 0, 1], covariance[:, 1, 1]
    across, rest = 1 / np.sqrt(a), 1 / np.sqrt(c - b * b / a)
    W = np.zeros_like(covariance)
    W[:, 0, 0], W[:, 1, 0], W[:, 1, 1] = across, -b / a * rest, rest
    return W
