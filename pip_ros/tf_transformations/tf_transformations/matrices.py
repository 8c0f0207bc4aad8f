"""4×4 transforms."""

import functools

import numpy as np
import numpy.typing as npt

from tf_transformations.quaternions import Array, quaternion_about_axis, quaternion_matrix


def identity_matrix() -> Array:
    """Return the transform that moves nothing."""
    return np.identity(4)


def translation_matrix(direction: npt.ArrayLike) -> Array:
    """Return the transform that moves by a vector (3)."""
    matrix = np.identity(4)
    matrix[:3, 3] = direction
    return matrix


def translation_from_matrix(matrix: npt.ArrayLike) -> Array:
    """Return the vector (3) by which a transform moves the origin."""
    return np.array(matrix, dtype=np.float64)[:3, 3]


def rotation_matrix(angle: float, direction: npt.ArrayLike, point: npt.ArrayLike | None = None) -> Array:
    """Return the turn by `angle` about the axis along `direction` through `point` (the origin by default)."""
    matrix = quaternion_matrix(quaternion_about_axis(angle, direction))
    if point is not None:
        centre = np.asarray(point, dtype=np.float64)[:3]
        matrix[:3, 3] = centre - matrix[:3, :3] @ centre
    return matrix


def inverse_matrix(matrix: npt.ArrayLike) -> Array:
    """Return the inverse; numpy.linalg.LinAlgError where there is none."""
    return np.linalg.inv(np.asarray(matrix, dtype=np.float64))


def concatenate_matrices(*matrices: npt.ArrayLike) -> Array:
    """Return the product in the order given: the last one moves points first."""
    return functools.reduce(np.dot, matrices, np.identity(4))


def is_same_transform(matrix0: npt.ArrayLike, matrix1: npt.ArrayLike) -> bool:
    """Return whether two homogeneous transforms move points alike, to NumPy's default tolerance."""
    first, second = np.asarray(matrix0, dtype=np.float64), np.asarray(matrix1, dtype=np.float64)
    return bool(np.allclose(first / first[3, 3], second / second[3, 3]))
