"""Rigid transforms T_a_b, float64 [4, 4]: they map points of frame b into frame a."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.transform import Rotation

Transform = NDArray[np.float64]


def pose_matrix(position: ArrayLike, quaternion_xyzw: ArrayLike) -> Transform:
    """T_a_b from b's position [3] in a, metres, and its orientation [4], (x, y, z, w), normalised here.

    Raises ValueError for a quaternion of zero length.
    """
    T_a_b = np.eye(4)
    T_a_b[:3, :3] = Rotation.from_quat(quaternion_xyzw).as_matrix()
    T_a_b[:3, 3] = position
    return T_a_b


def quaternion_xyzw(T_a_b: Transform) -> NDArray[np.float64]:
    """The rotation as a unit quaternion [4], (x, y, z, w) with w >= 0."""
    quaternion = Rotation.from_matrix(T_a_b[:3, :3]).as_quat()
    return np.asarray(-quaternion if quaternion[3] < 0 else quaternion, np.float64)


def invert_transform(T_a_b: Transform) -> Transform:
    """T_b_a, by the transposed rotation."""
    T_b_a = np.eye(4)
    T_b_a[:3, :3] = T_a_b[:3, :3].T
    T_b_a[:3, 3] = -T_b_a[:3, :3] @ T_a_b[:3, 3]
    return T_b_a


def transform_points(T_a_b: Transform, points_b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points [..., 3] of frame b in frame a."""
    return points_b @ T_a_b[:3, :3].T + T_a_b[:3, 3]
