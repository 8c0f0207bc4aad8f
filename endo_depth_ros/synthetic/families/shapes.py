"""Convex bodies as distance fields: points [3, N] to metres [N], positive outside, zero on the skin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation
from torch import Tensor

Field = Callable[[Tensor], Tensor]


def smooth_union(a: Tensor, b: Tensor, blend: float) -> Tensor:
    """Distance to two bodies together, the crease between them rounded over `blend` metres (Quilez)."""
    gap = (blend - (a - b).abs()).clamp_min(0)
    return torch.minimum(a, b) - gap * gap * (0.25 / blend)


def smooth_intersection(a: Tensor, b: Tensor, blend: float) -> Tensor:
    """Distance to what two bodies share, its edge rounded over `blend` metres; also the union of two cavities."""
    return -smooth_union(-a, -b, blend)


def column(values: NDArray[np.float64] | tuple[float, ...], like: Tensor) -> Tensor:
    """Three numbers as a column [3, 1] of the kind of `like`."""
    return torch.tensor(np.asarray(values), dtype=like.dtype, device=like.device)[:, None]


def random_turn(rng: np.random.Generator, spread_deg: float) -> NDArray[np.float64]:
    """A rotation matrix [3, 3] about a random axis, by a normal angle of this standard deviation."""
    axis = rng.normal(size=3)
    rotvec = axis / np.linalg.norm(axis) * np.radians(rng.normal(0, spread_deg))
    turn: NDArray[np.float64] = Rotation.from_rotvec(rotvec).as_matrix()
    return turn


@dataclass(frozen=True, eq=False)
class Ellipsoid:
    """Half axes [3] in metres along the columns of `turn` [3, 3]."""

    centre: NDArray[np.float64]
    half_axes: tuple[float, float, float]
    turn: NDArray[np.float64]

    def __call__(self, points: Tensor) -> Tensor:
        turn = torch.tensor(self.turn, dtype=points.dtype, device=points.device)
        local = turn.T @ (points - column(self.centre, points)) / column(self.half_axes, points)
        # Quilez's bound: exact on the skin, and its gradient is 1 there. At the centre it is the shortest half axis.
        level, slope = _length(local), _length(local / column(self.half_axes, points))
        return (level - 1) * (level + 1e-6) / (slope + 1e-6 / min(self.half_axes))


@dataclass(frozen=True, eq=False)
class Capsule:
    """A rod from a to b [3] whose radius goes from radius_a to radius_b."""

    a: NDArray[np.float64]
    b: NDArray[np.float64]
    radius_a: float
    radius_b: float

    def __call__(self, points: Tensor) -> Tensor:
        distance, along = _from_segment(points, self.a, self.b)
        return distance - (self.radius_a + (self.radius_b - self.radius_a) * along)


@dataclass(frozen=True, eq=False)
class Slab:
    """A box with rounded edges: half sizes [3] along the columns of `turn` [3, 3], edges of this radius."""

    centre: NDArray[np.float64]
    half_sizes: tuple[float, float, float]
    turn: NDArray[np.float64]
    edge: float

    def __call__(self, points: Tensor) -> Tensor:
        turn = torch.tensor(self.turn, dtype=points.dtype, device=points.device)
        local = (turn.T @ (points - column(self.centre, points))).abs()
        beyond = local - (column(self.half_sizes, points) - self.edge)
        return _length(beyond.clamp_min(0)) + beyond.amax(0).clamp_max(0) - self.edge


@dataclass(frozen=True, eq=False)
class Swept:
    """A body drawn along a way [3]: what it covers when it is pushed from where it is to there (Quilez: elongation)."""

    body: Field
    start: NDArray[np.float64]
    way: NDArray[np.float64]

    def __call__(self, points: Tensor) -> Tensor:
        length = float(np.linalg.norm(self.way))
        direction = column(self.way / length, points)
        along = ((points - column(self.start, points)) * direction).sum(0).clamp(0, length)
        return self.body(points - along * direction)


@dataclass(frozen=True, eq=False)
class Hollow:
    """The cavity that a body would fill."""

    body: Field

    def __call__(self, points: Tensor) -> Tensor:
        return -self.body(points)


def _from_segment(points: Tensor, a: NDArray[np.float64], b: NDArray[np.float64]) -> tuple[Tensor, Tensor]:
    """Distance [N] from the segment, and where on it the nearest point is, 0-1 [N]."""
    axis = column(b - a, points)
    offset = points - column(a, points)
    along = ((offset * axis).sum(0) / float(((b - a) ** 2).sum())).clamp(0, 1)
    return _length(offset - along * axis), along


def _length(vectors: Tensor) -> Tensor:
    x, y, z = vectors
    return torch.sqrt(x * x + y * y + z * z)
