"""Lengths and directions."""

import math

import numpy as np
import numpy.typing as npt


def vector_norm(data: npt.ArrayLike, axis: int | None = None) -> float | npt.NDArray[np.float64]:
    """Return the Euclidean length of a vector, or of an array's vectors along `axis`."""
    array = np.asarray(data, dtype=np.float64)
    if array.ndim == 1:
        return math.sqrt(array @ array)
    return np.atleast_1d(np.sqrt(np.sum(array * array, axis=axis)))


def unit_vector(data: npt.ArrayLike, axis: int | None = None) -> npt.NDArray[np.float64]:
    """Return a vector, or an array's vectors along `axis`, divided by the Euclidean length."""
    array = np.asarray(data, dtype=np.float64)
    if array.ndim == 1:
        return array / vector_norm(array)
    return array / np.sqrt(np.sum(array * array, axis=axis, keepdims=axis is not None))
