"""The stereographic image plane on which the depth models look.

A ray at angle t from the optical axis lies 2 tan(t / 2) focal lengths from the principal point; near the axis that is
the pinhole image of the same K. Small shapes keep their form everywhere, and a wide scope's periphery takes up four
times fewer pixels of a pinhole's at 60 degrees: the middle keeps the resolution that the sensor has there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def plane_points(rays: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points [..., 2] of the plane, in focal lengths, of directions [..., 3] that aren't exactly backwards."""
    rays = np.asarray(rays, np.float64)
    return np.asarray(2 * rays[..., :2] / (rays[..., 2:] + np.linalg.norm(rays, axis=-1, keepdims=True)), np.float64)


def plane_rays(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Directions [..., 3], z = 1, of points [..., 2] of the plane; NaN from 2 focal lengths on, which is 90 degrees."""
    points = np.asarray(points, np.float64)
    ahead = 1 - np.square(points).sum(-1, keepdims=True) / 4
    slopes = points / np.where(ahead > 0, ahead, np.nan)
    return np.concatenate([slopes, np.ones_like(slopes[..., :1])], axis=-1)
