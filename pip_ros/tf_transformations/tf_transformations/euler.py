"""Euler angles in their 24 conventions."""

import itertools
import math
import sys

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from tf_transformations.quaternions import Array, Quaternion, quaternion_matrix

Axes = str | tuple[int, int, int, int]
Angles = tuple[float, float, float]


def _name_encoded_axes() -> dict[tuple[int, int, int, int], str]:
    """Return the name of each (inner axis, parity, repetition, frame); K. Shoemake, Graphics Gems IV, 1994, III.5."""
    names = {}
    for inner, parity, repetition in itertools.product(range(3), range(2), range(2)):
        middle, other = (inner + 1 + parity) % 3, (inner + 2 - parity) % 3
        letters = "".join("xyz"[axis] for axis in (inner, middle, inner if repetition else other))
        names[inner, parity, repetition, 0] = "s" + letters
        names[inner, parity, repetition, 1] = "r" + letters[::-1]
    return names


_NAMES = _name_encoded_axes()
_CODES = {name: code for code, name in _NAMES.items()}


def quaternion_from_euler(ai: float, aj: float, ak: float, axes: Axes = "sxyz") -> Quaternion:
    """Return the quaternion of three turns, in the order of `axes`; KeyError for unknown axes."""
    x, y, z, w = _rotate(ai, aj, ak, axes).as_quat()
    return (x, y, z, w)


def euler_matrix(ai: float, aj: float, ak: float, axes: Axes = "sxyz") -> Array:
    """Return the 4×4 rotation of three turns, in the order of `axes`; KeyError for unknown axes."""
    matrix = np.identity(4)
    matrix[:3, :3] = _rotate(ai, aj, ak, axes).as_matrix()
    return matrix


def euler_from_quaternion(quaternion: npt.ArrayLike, axes: Axes = "sxyz") -> Angles:
    """Return the angles of a rotation; see `euler_from_matrix`."""
    return euler_from_matrix(quaternion_matrix(quaternion), axes)


def euler_from_matrix(matrix: npt.ArrayLike, axes: Axes = "sxyz") -> Angles:
    """Return the three angles of a rotation (3×3 or 4×4, no scale) in one of 24 conventions.

    First and last angle lie in [-π, π], the middle one in [-π/2, π/2] (three axes) or between 0 and π (the first
    axis twice; 0 and -π where the axes are in odd order). Where first and last axis coincide, the angle about the
    fixed system's last axis is 0. Shoemake, Graphics Gems IV, III.5: the axes are renamed so that every convention
    becomes static x y z or x y x; in odd order that is a reflection, which turns the angles' signs.
    """
    inner, parity, repetition, rotating = _encode_axes(axes)
    order = [inner, (inner + 1 + parity) % 3, (inner + 2 - parity) % 3]
    renamed = np.asarray(matrix, dtype=np.float64)[np.ix_(order, order)]
    first, middle, last = _read_repeated_axis(renamed) if repetition else _read_three_axes(renamed)
    if parity:
        first, middle, last = -first, -middle, -last
    return (last, middle, first) if rotating else (first, middle, last)


def _encode_axes(axes: Axes) -> tuple[int, int, int, int]:
    return _CODES[axes] if isinstance(axes, str) else axes


def _rotate(ai: float, aj: float, ak: float, axes: Axes) -> Rotation:
    name = _NAMES[_encode_axes(axes)]
    sequence = name[1:] if name[0] == "s" else name[1:].upper()  # scipy: lower case static, upper case rotating
    return Rotation.from_euler(sequence, [ai, aj, ak])


def _read_three_axes(m: Array) -> Angles:
    cosine = math.hypot(m[0, 0], m[1, 0])
    middle = math.atan2(-m[2, 0], cosine)
    if _is_zero(cosine):
        return math.atan2(-m[1, 2], m[1, 1]), middle, 0.0
    return math.atan2(m[2, 1], m[2, 2]), middle, math.atan2(m[1, 0], m[0, 0])


def _read_repeated_axis(m: Array) -> Angles:
    sine = math.hypot(m[0, 1], m[0, 2])
    middle = math.atan2(sine, m[0, 0])
    if _is_zero(sine):
        return math.atan2(-m[1, 2], m[1, 1]), middle, 0.0
    return math.atan2(m[0, 1], m[0, 2]), middle, math.atan2(m[1, 0], -m[2, 0])


def _is_zero(length: float) -> bool:
    return length <= 4 * sys.float_info.epsilon
