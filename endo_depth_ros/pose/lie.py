"""Exponential, logarithm and adjoint of rigid transforms; twists are (rotation, translation) in the body frame."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from endo_depth_ros.geometry.transforms import Transform

Array = NDArray[np.float64]
SMALL_ANGLE = 1e-7


def skew(v: Array) -> Array:
    """The matrices [..., 3, 3] that take the cross product with vectors [..., 3]."""
    S = np.zeros((*v.shape[:-1], 3, 3))
    S[..., 0, 1], S[..., 0, 2], S[..., 1, 2] = -v[..., 2], v[..., 1], -v[..., 0]
    S[..., 1, 0], S[..., 2, 0], S[..., 2, 1] = v[..., 2], -v[..., 1], v[..., 0]
    return S


def exp_se3(twist: Array) -> Transform:
    """T [4, 4] of a twist [6], radians and metres (Barfoot 2017, eq. 7.85)."""
    T = np.eye(4)
    T[:3, :3] = cv2.Rodrigues(twist[:3])[0]
    T[:3, 3] = _left_jacobian(twist[:3]) @ twist[3:]
    return T


def log_se3(T: Transform) -> Array:
    """The twist [6] of T [4, 4], the inverse of exp_se3 for angles below pi."""
    rotation = Rotation.from_matrix(T[:3, :3]).as_rotvec()  # cv2.Rodrigues takes small angles for none
    return np.concatenate([rotation, np.linalg.solve(_left_jacobian(rotation), T[:3, 3])])


def adjoint(T_a_b: Transform) -> Array:
    """[6, 6]: turns a twist of frame b into the same motion as a twist of frame a."""
    R = T_a_b[:3, :3]
    Ad = np.zeros((6, 6))
    Ad[:3, :3] = Ad[3:, 3:] = R
    Ad[3:, :3] = skew(T_a_b[:3, 3]) @ R
    return Ad


def _left_jacobian(rotation: Array) -> Array:
    angle = float(np.linalg.norm(rotation))
    S = skew(rotation)
    if angle < SMALL_ANGLE:
        return np.eye(3) + 0.5 * S
    a, b = (1 - np.cos(angle)) / angle**2, (angle - np.sin(angle)) / angle**3
    return np.eye(3) + a * S + b * S @ S
