"""What is wrong with a depth image as a whole: a smooth field of log depth, whose coefficients poses are found with.

Half of the error of a network's depth is one smooth field over the image: its scale, a slope, a bowl. Points that are
followed while the camera moves say what it is, since they have parallax.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.pose.lie import Array

ORDER = 4
# Of x and of y, from the constant on.
POWERS = [(total - below, below) for total in range(ORDER + 1) for below in range(total + 1)]
TERMS = len(POWERS)
# A term's standard deviation, of that of the terms one order below.
DECAY = 0.7
# Places across and down an image where the field's standard deviation is computed; it is interpolated between.
PLACES = 33


def basis_at(pixels: Array, shape: tuple[int, int]) -> Array:
    """Values [N, TERMS] at pixels [N, 2] of an image of shape (height, width): products of Legendre polynomials.

    Each has a mean square of 1 over the image, and all but the first a mean of 0.
    """
    across, down = (_legendre(pixels[:, axis], shape[1 - axis]) for axis in (0, 1))
    return np.stack([across[:, a] * down[:, b] for a, b in POWERS], axis=1)


def prior_sigmas(scale_sigma: float, slope_sigma: float) -> Array:
    """Standard deviations [TERMS] before anything is seen: of the constant, of slopes, of higher orders by DECAY."""
    higher = [slope_sigma * DECAY ** (a + b - 1) for a, b in POWERS[1:]]
    return np.array([scale_sigma, *higher])


@dataclass(frozen=True)
class DepthField:
    """The logarithm of what a depth image has to be multiplied by. coefficients: [TERMS]; covariance: of them."""

    coefficients: Array = field(default_factory=lambda: np.zeros(TERMS))
    covariance: Array = field(default_factory=lambda: np.zeros((TERMS, TERMS)))

    def log_factor(self, shape: tuple[int, int]) -> NDArray[np.float32]:
        """The field, float32 [H, W]."""
        height, width = shape
        across = _legendre(np.arange(width, dtype=np.float64), width)
        down = _legendre(np.arange(height, dtype=np.float64), height)
        weights = np.zeros((ORDER + 1, ORDER + 1))
        for (a, b), coefficient in zip(POWERS, self.coefficients, strict=True):
            weights[b, a] = coefficient
        return np.asarray(down @ weights @ across.T, np.float32)

    def log_sigma(self, shape: tuple[int, int]) -> NDArray[np.float32]:
        """Its standard deviation, float32 [H, W]."""
        height, width = shape
        u, v = np.meshgrid(np.linspace(0, width - 1, PLACES), np.linspace(0, height - 1, PLACES))
        basis = basis_at(np.column_stack([u.ravel(), v.ravel()]), shape)
        variance = np.einsum("nk,nk->n", basis @ self.covariance, basis)
        sigma = np.sqrt(np.maximum(variance, 0)).reshape(PLACES, PLACES).astype(np.float32)
        return corner_to_corner(sigma, shape)


def corner_to_corner(grid: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """A grid [h, w] whose corners are an image's corner pixels, interpolated over it, float32 [H, W]."""
    height, width = shape
    # `resize` would align the pixels' outer edges.
    across, down = (grid.shape[1] - 1) / max(width - 1, 1), (grid.shape[0] - 1) / max(height - 1, 1)
    step = np.array([[across, 0, 0], [0, down, 0]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(grid, step, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE))


def _legendre(pixels: Array, size: int) -> Array:
    """Polynomials [N, ORDER + 1] of places in an image of `size` pixels, orthonormal over it."""
    x = (2 * pixels + 1) / size - 1
    values = np.polynomial.legendre.legvander(x, ORDER) * np.sqrt(2 * np.arange(ORDER + 1) + 1)
    return np.asarray(values, np.float64)
