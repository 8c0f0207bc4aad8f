"""Quaternions, x y z w."""

import math
import sys

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from tf_transformations.vectors import unit_vector

Quaternion = tuple[float, float, float, float]
Array = npt.NDArray[np.float64]


def quaternion_about_axis(angle: float, axis: npt.ArrayLike) -> Quaternion:
    """Return the turn by `angle` about `axis` (3, any length; ZeroDivisionError for length 0)."""
    x, y, z = np.asarray(axis, dtype=np.float64).tolist()
    scale = math.sin(angle / 2) / math.hypot(x, y, z)
    return (x * scale, y * scale, z * scale, math.cos(angle / 2))


def quaternion_matrix(quaternion: npt.ArrayLike) -> Array:
    """Return the 4×4 rotation of a quaternion of any length; of a quaternion of length 0 the identity."""
    x, y, z, w = np.asarray(quaternion, dtype=np.float64)
    matrix = np.identity(4)
    squared_length = x * x + y * y + z * z + w * w
    if math.isnan(squared_length):
        matrix[:3, :3] = math.nan
    elif squared_length >= sys.float_info.epsilon:
        matrix[:3, :3] = Rotation.from_quat([x, y, z, w]).as_matrix()
    return matrix


def quaternion_from_matrix(matrix: npt.ArrayLike) -> Quaternion:
    """Return the unit quaternion, w ≥ 0, of a 4×4 transform's rotation; its scale and shear are taken out first.

    Raises ValueError where the matrix is not 4×4, numpy.linalg.LinAlgError where it flattens space.
    """
    array = np.asarray(matrix, dtype=np.float64)
    if array.shape != (4, 4):
        raise ValueError(f"quaternion_from_matrix needs a 4×4 matrix, got shape {array.shape}")
    x, y, z, w = Rotation.from_matrix(_remove_stretch(array[:3, :3])).as_quat()
    return (-x, -y, -z, -w) if w < 0 else (x, y, z, w)


def quaternion_multiply(quaternion1: npt.ArrayLike, quaternion0: npt.ArrayLike) -> Quaternion:
    """Return the Hamilton product quaternion1 · quaternion0 (as rotations: 0 first, then 1), not normalised."""
    x1, y1, z1, w1 = np.asarray(quaternion1)
    x0, y0, z0, w0 = np.asarray(quaternion0)
    return (
        w1 * x0 + x1 * w0 + y1 * z0 - z1 * y0,
        w1 * y0 - x1 * z0 + y1 * w0 + z1 * x0,
        w1 * z0 + x1 * y0 - y1 * x0 + z1 * w0,
        w1 * w0 - x1 * x0 - y1 * y0 - z1 * z0,
    )


def quaternion_conjugate(quaternion: npt.ArrayLike) -> Array:
    """Return the quaternion with its vector part reversed."""
    return np.asarray(quaternion, dtype=np.float64) * (-1.0, -1.0, -1.0, 1.0)


def quaternion_inverse(quaternion: npt.ArrayLike) -> Array:
    """Return the quaternion whose product with this one is 1; the conjugate of a unit quaternion."""
    return quaternion_conjugate(quaternion) / np.dot(quaternion, quaternion)


def quaternion_slerp(
    quat0: npt.ArrayLike, quat1: npt.ArrayLike, fraction: float, spin: int = 0, shortestpath: bool = True
) -> Array:
    """Return the unit quaternion at `fraction` (0 quat0, 1 quat1) of the great arc between two directions.

    `spin` lengthens the arc by as many π on the way: an even number, or the result has not length 1. Without
    `shortestpath` the arc may be the longer one.
    """
    start, end = unit_vector(quat0), unit_vector(quat1)
    if fraction == 0.0:
        return start
    if fraction == 1.0:
        return end
    cosine = float(start @ end)
    if abs(abs(cosine) - 1.0) < 4 * sys.float_info.epsilon:
        return start
    if shortestpath and cosine < 0.0:
        cosine, end = -cosine, -end
    arc = math.acos(cosine) + spin * math.pi
    return (math.sin((1.0 - fraction) * arc) * start + math.sin(fraction * arc) * end) / math.sin(arc)


def random_quaternion(rand: npt.ArrayLike | None = None) -> Array:
    """Return a unit quaternion drawn uniformly, from three numbers in [0, 1) where given.

    K. Shoemake, Uniform random rotations, Graphics Gems III, 1992.
    """
    share, turn0, turn1 = np.random.default_rng().random(3) if rand is None else np.asarray(rand)
    angle0, angle1 = 2.0 * math.pi * turn0, 2.0 * math.pi * turn1
    radius0, radius1 = math.sqrt(1.0 - share), math.sqrt(share)
    return np.array(
        [math.sin(angle0) * radius0, math.cos(angle0) * radius0, math.sin(angle1) * radius1, math.cos(angle1) * radius1]
    )


def random_rotation_matrix(rand: npt.ArrayLike | None = None) -> Array:
    """Return a 4×4 rotation drawn uniformly, from three numbers in [0, 1) where given."""
    return quaternion_matrix(random_quaternion(rand))


def _remove_stretch(linear: Array) -> Array:
    """Return the proper rotation R of linear = R · (upper triangular); a mirror image is undone along x."""
    rotation, stretch = np.linalg.qr(linear)
    signs = np.sign(np.diag(stretch))
    if not signs.all():
        raise np.linalg.LinAlgError("the matrix flattens space: it has no rotation")
    rotation = rotation * signs
    if np.linalg.det(rotation) < 0:
        rotation[:, 0] *= -1
    return rotation
