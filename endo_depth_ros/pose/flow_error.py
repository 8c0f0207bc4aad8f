"""How far points stray that are followed from one image to another: less across an edge than along it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.pose.appearance import Picture
from endo_depth_ros.pose.lie import Array
from endo_depth_ros.pose.sensor_noise import ROUNDING

# Gradients are those of a picture this much smoother, so that noise is not taken for texture.
SMOOTHING_PX = 1.3
# Patches differ by more than noise, since light and perspective move: by 1.0 to 1.3 times as much over 6 to 15 px on
# renderings with little and with much noise. Neighbours have some of that in common, for which it is twice here.
EXCESS = 2.0
# Nothing is followed worse than that and still found back.
MOST_PX = 5.0
ROUND_ELLIPSE = 1e-9  # least share of one variance that the other one says nothing about


def flow_covariance(picture: Picture, pixels: NDArray[np.float32], window_px: int, sigma_px: float) -> Array:
    """Covariance [N, 2, 2], in pixels², of where points of a picture will be found in another one.

    pixels: [N, 2], middles of patches of window_px. sigma_px: of a point with any amount of texture. What is added is
    the Cramér-Rao bound of patches that differ by noise: 2 n² (Σ ∇I ∇Iᵀ)⁻¹ (Robinson and Milanfar, Fundamental
    performance limits in image registration, 2004). n is the noise of single pixels; smoothing makes it less but
    alike in neighbours, which for texture wider than that is the same.
    """
    column, row = np.rint(pixels).astype(np.intp).T
    noise = EXCESS * np.maximum(picture.noise[row, column], ROUNDING).astype(np.float64)
    information = sum_of_gradients(picture.grey, pixels, window_px) / (2 * noise**2)[:, None, None]
    information += np.eye(2) / MOST_PX**2
    return np.asarray(np.linalg.inv(information) + sigma_px**2 * np.eye(2), np.float64)


def sum_of_gradients(grey: NDArray[np.uint8], pixels: NDArray[np.float32], window_px: int) -> Array:
    """Σ ∇I ∇Iᵀ over the patches around `pixels` [N, 2], [N, 2, 2]; I is the smoothed picture."""
    smooth = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), SMOOTHING_PX)
    x, y = (cv2.Sobel(smooth, cv2.CV_32F, *order, ksize=3, scale=1 / 8) for order in ((1, 0), (0, 1)))
    column, row = np.rint(pixels).astype(np.intp).T
    size = (window_px, window_px)
    xx, xy, yy = (cv2.boxFilter(each, -1, size, normalize=False)[row, column] for each in (x * x, x * y, y * y))
    return np.asarray(np.stack([xx, xy, xy, yy], axis=-1).reshape(-1, 2, 2), np.float64)


def whitening(covariance: Array) -> Array:
    """W [N, 2, 2] with Wᵀ W = covariance⁻¹, lower triangular."""
    a, b, c = covariance[:, 0, 0], covariance[:, 0, 1], covariance[:, 1, 1]
    # Rounding makes nothing, or less, of what is left across a very long ellipse.
    across, rest = 1 / np.sqrt(a), 1 / np.sqrt(np.maximum(c - b * b / a, ROUND_ELLIPSE * c))
    W = np.zeros_like(covariance)
    W[:, 0, 0], W[:, 1, 0], W[:, 1, 1] = across, -b / a * rest, rest
    return W
