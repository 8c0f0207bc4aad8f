"""Polyps on the wall of a tube: sessile, on a stalk, flat."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from endo_depth_ros.synthetic.families.building import Component
from endo_depth_ros.synthetic.families.shapes import Capsule, Ellipsoid, Field, random_turn, smooth_union
from endo_depth_ros.synthetic.families.tube_wall import TubeWall
from endo_depth_ros.synthetic.families.uneven_skin import Uneven
from endo_depth_ros.synthetic.families.volume_noise import VolumeNoise

POLYP_PART = 1


def draw_polyp(rng: np.random.Generator, wall: TubeWall, s: float) -> Component:
    """A polyp at s along the tube, on any side; half axes of 2 to 10 mm, less in a narrow tube."""
    phi = float(rng.uniform(-np.pi, np.pi))
    inward = random_turn(rng, 15) @ wall.inward(s, phi)
    base = wall.wall_point(s, phi, 0.0)
    size = rng.uniform(0.002, min(0.010, 0.35 * wall.grid.radius))
    kind: Callable[..., Component] = rng.choice(np.array([_sessile, _stalked, _flat]), p=[0.45, 0.3, 0.25])
    return kind(rng, base, inward, size)


def _sessile(
    rng: np.random.Generator, base: NDArray[np.float64], inward: NDArray[np.float64], size: float
) -> Component:
    centre = base + inward * size * rng.uniform(0.1, 0.7)
    half_axes = (size, size * rng.uniform(0.7, 1.3), size * rng.uniform(0.7, 1.3))
    return Component(_lumpy(rng, Ellipsoid(centre, half_axes, _upright(rng, inward)), size), POLYP_PART, 0.4 * size)


def _stalked(
    rng: np.random.Generator, base: NDArray[np.float64], inward: NDArray[np.float64], size: float
) -> Component:
    height = size * rng.uniform(1.0, 2.5)
    lean = random_turn(rng, 25) @ inward
    head = base + lean * height
    stalk = Capsule(base - inward * size, head, max(0.0012, 0.4 * size), max(0.0012, 0.3 * size))
    half_axes = (size * rng.uniform(0.7, 1.0), size, size * rng.uniform(0.8, 1.2))
    knob = _lumpy(rng, Ellipsoid(head, half_axes, _upright(rng, lean)), size)

    def polyp(points: Tensor) -> Tensor:
        return smooth_union(stalk(points), knob(points), 0.4 * size)

    return Component(polyp, POLYP_PART, 0.4 * size)


def _flat(rng: np.random.Generator, base: NDArray[np.float64], inward: NDArray[np.float64], size: float) -> Component:
    half_axes = (max(0.0012, size * rng.uniform(0.2, 0.4)), size * rng.uniform(1, 1.8), size * rng.uniform(1, 1.8))
    return Component(_lumpy(rng, Ellipsoid(base, half_axes, _upright(rng, inward)), size), POLYP_PART, 0.3 * size)


def _upright(rng: np.random.Generator, inward: NDArray[np.float64]) -> NDArray[np.float64]:
    """Axes [3, 3], the first of them `inward`, the others turned at random."""
    side = np.cross(inward, rng.normal(size=3))
    side /= np.linalg.norm(side)
    return np.stack([inward, side, np.cross(inward, side)], axis=1)


def _lumpy(rng: np.random.Generator, body: Field, size: float) -> Field:
    """The body with lumps of a polyp's surface."""
    return Uneven(body, VolumeNoise(rng, 1), -size * rng.uniform(0.0, 0.06), max(0.002, 0.5 * size))
