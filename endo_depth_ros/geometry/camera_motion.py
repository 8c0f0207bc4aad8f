"""How a camera moved, from points that it saw before and pixels where it sees them now."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

ITERATIONS = 4
# Residuals of this many medians count half: once the motion is found, their median is small and outliers count little.
TOLERANCE = 1.5


def fit_camera_motion(points: NDArray[np.float64], rays: NDArray[np.float64]) -> NDArray[np.float64]:
    """T_after_before, float64 [4, 4], of a camera that saw `points` before and sees them along `rays` after.

    points: [N, 3] in the frame before, z > 0; rays: [N, 2], x/z and y/z in the frame after. Robust Gauss-Newton on the
    reprojection error (iteratively reweighted, Cauchy weights), from no motion at all, so for motions of a few degrees.
    A direction that the points don't tell stays zero.
    """
    T = np.eye(4)
    for _ in range(ITERATIONS):
        moved = T[:3, :3] @ points.T + T[:3, 3:]  # [3, N]
        inverse = 1 / np.maximum(moved[2], 1e-12)
        x, y = moved[:2] * inverse
        residual = rays.T - moved[:2] * inverse  # [2, N]
        squared = residual[0] ** 2 + residual[1] ** 2
        scale = max(TOLERANCE**2 * float(np.median(squared)), 1e-18)
        jacobian = projection_jacobian(x, y, inverse)
        weighted = jacobian / (1 + squared / scale)
        normal = (weighted @ jacobian.transpose(0, 2, 1)).sum(0)
        gradient = (weighted @ residual[..., None]).sum(0)[:, 0]
        step = np.linalg.lstsq(normal, gradient, rcond=1e-9)[0]
        T = motion_of(step) @ T
    return T


def projection_jacobian(
    x: NDArray[np.float64], y: NDArray[np.float64], inverse_z: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Of the rays (x, y) by the points' translation and rotation vector, [2, 6, N] (Longuet-Higgins, Prazdny 1980)."""
    jacobian = np.zeros((2, 6, len(x)))
    across, down = jacobian
    across[0], across[2], across[3], across[4], across[5] = inverse_z, -x * inverse_z, -x * y, 1 + x * x, -y
    down[1], down[2], down[3], down[4], down[5] = inverse_z, -y * inverse_z, -1 - y * y, x * y, x
    return jacobian


def motion_of(step: NDArray[np.float64]) -> NDArray[np.float64]:
    """The transform [4, 4] of a translation and a rotation vector, [6]."""
    T = np.eye(4)
    T[:3, :3], T[:3, 3] = cv2.Rodrigues(step[3:])[0], step[:3]
    return T
