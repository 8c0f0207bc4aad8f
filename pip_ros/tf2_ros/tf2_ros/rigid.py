"""Rigid transforms on plain floats: on one transform at a time NumPy's overhead is many times the arithmetic."""

import math
from typing import NamedTuple

Vector = tuple[float, float, float]
Rotation = tuple[float, float, float, float]


class Rigid(NamedTuple):
    """Moves points of a child frame into its parent frame: translation in metres, unit quaternion x y z w."""

    translation: Vector
    rotation: Rotation


IDENTITY = Rigid((0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0))


def normalize_rotation(rotation: Rotation) -> Rotation:
    """Return the unit quaternion of the same rotation, with the sign that tf2 gives.

    tf2 passes quaternions through a rotation matrix: w comes back positive for rotations under 120 degrees, the
    largest of x, y, z (the first of equals) for larger ones. NaN where the rotation is zero or not a number.
    """
    norm = math.sqrt(sum(part * part for part in rotation))
    if not 0.0 < norm < math.inf:
        return (math.nan, math.nan, math.nan, math.nan)
    x, y, z, w = rotation
    leading = w if abs(w) > 0.5 * norm else max(x, y, z, key=abs)
    scale = math.copysign(1.0 / norm, leading)
    return (x * scale, y * scale, z * scale, w * scale)


def compose(T_a_b: Rigid, T_b_c: Rigid) -> Rigid:
    """Return T_a_c."""
    offset = _rotate(T_a_b.rotation, T_b_c.translation)
    origin = T_a_b.translation
    return Rigid(
        (origin[0] + offset[0], origin[1] + offset[1], origin[2] + offset[2]),
        _multiply(T_a_b.rotation, T_b_c.rotation),
    )


def invert(T_a_b: Rigid) -> Rigid:
    """Return T_b_a."""
    x, y, z, w = T_a_b.rotation
    rotation = (-x, -y, -z, w)
    offset = _rotate(rotation, T_a_b.translation)
    return Rigid((-offset[0], -offset[1], -offset[2]), rotation)


def interpolate(start: Rigid, end: Rigid, ratio: float) -> Rigid:
    """Return the transform at `ratio` (0 start, 1 end): straight in translation, shortest arc in rotation (slerp)."""
    tx, ty, tz = ((1.0 - ratio) * a + ratio * b for a, b in zip(start.translation, end.translation, strict=True))
    cosine = sum(a * b for a, b in zip(start.rotation, end.rotation, strict=True))
    angle = math.acos(min(abs(cosine), 1.0))
    if angle == 0.0:
        return Rigid((tx, ty, tz), start.rotation)
    weight_start = math.sin((1.0 - ratio) * angle) / math.sin(angle)
    weight_end = math.copysign(math.sin(ratio * angle) / math.sin(angle), cosine)
    x, y, z, w = (weight_start * a + weight_end * b for a, b in zip(start.rotation, end.rotation, strict=True))
    return Rigid((tx, ty, tz), (x, y, z, w))


def _multiply(a: Rotation, b: Rotation) -> Rotation:
    ax, ay, az, aw = a
    bx, by, bz, bw = b
    return (
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
        aw * bw - ax * bx - ay * by - az * bz,
    )


def _rotate(rotation: Rotation, vector: Vector) -> Vector:
    x, y, z, w = rotation
    turned = _multiply(_multiply(rotation, (*vector, 0.0)), (-x, -y, -z, w))
    return turned[:3]
