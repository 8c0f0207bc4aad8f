"""Poses of the Unity engine as this project has them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

# Unity is left-handed with y up, its cameras look along z: mirroring y gives an optical frame and a right-handed world.
MIRROR_Y = np.diag([1.0, -1.0, 1.0, 1.0])


def pose_from_unity(position: NDArray[np.float64], quaternion_xyzw: NDArray[np.float64]) -> NDArray[np.float64]:
    """T_world_camera [4, 4] from a Unity position [3] and rotation [4], in the unit of the position.

    M P M with the mirror M, as the evaluation of SimCol3D has it. Raises ValueError for a quaternion of zero length.
    """
    P = np.eye(4)
    P[:3, :3] = Rotation.from_quat(quaternion_xyzw).as_matrix()
    P[:3, 3] = position
    return MIRROR_Y @ P @ MIRROR_Y
