"""Clutter: a cavity of no name, uneven as noise makes it, with convex bodies in it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.synthetic.anatomy import Anatomy
from endo_depth_ros.synthetic.families.building import (
    MUCOSA,
    WALL,
    Component,
    assemble,
    draw_palettes,
    draw_roughness,
    find_way,
    join,
)
from endo_depth_ros.synthetic.families.centre_line import CentreLine, draw_bends
from endo_depth_ros.synthetic.families.loops import Loop, draw_radii
from endo_depth_ros.synthetic.families.shapes import Capsule, Ellipsoid, Field, Hollow, Slab, Swept, random_turn
from endo_depth_ros.synthetic.families.uneven_skin import Uneven
from endo_depth_ros.synthetic.families.volume_noise import VolumeNoise

Array = NDArray[np.float64]
_ANY = (*MUCOSA, "fat", "liver", "bowel", "stomach", "peritoneum", "airway", "sinus", "polyp", "bladder", "gallbladder")


def draw_clutter(rng: np.random.Generator) -> Anatomy:
    """A cavity of 2 to 12 cm with four to fourteen bodies, each in one of three colours."""
    size = float(np.exp(rng.uniform(np.log(0.011), np.log(0.06))))
    half = size * rng.uniform(0.7, 1.5, 3)
    components = [Component(_draw_bag(rng, half), 0)]
    for _ in range(int(rng.integers(4, 15))):
        shape: Callable[..., Field] = rng.choice(
            np.array([_blob, _rod, _sheet, _leaf, _snake]), p=[0.4, 0.2, 0.1, 0.15, 0.15]
        )
        centre = half * rng.normal(0, 1, 3) / np.sqrt(3) * rng.uniform(0.6, 1.3)
        body = shape(rng, centre, size * rng.uniform(0.1, 0.45))
        components.append(Component(body, int(rng.integers(0, 4)), size * rng.uniform(0.02, 0.2)))
    roughness = draw_roughness(rng, size, 0.06)
    margin = float(np.clip(0.1 * size, 0.0015, 0.006))
    way = find_way(join(components, roughness), (-half, half), half * rng.uniform(-1, 1, 3), margin, rng)
    palettes = draw_palettes(rng, [_ANY] * 4)
    box = -1.25 * half - WALL, 1.25 * half + WALL
    return assemble(rng, "clutter", components, roughness, palettes, box, way, finest=3e-4, way_margin=margin)


def _draw_bag(rng: np.random.Generator, half: Array) -> Field:
    bag = Ellipsoid(np.zeros(3), (half[0], half[1], half[2]), random_turn(rng, 10))
    noise, size = VolumeNoise(rng, 1), float(half.mean())
    return Uneven(Hollow(bag), noise, -size * rng.uniform(0.03, 0.12), size * rng.uniform(0.4, 0.9))


def _blob(rng: np.random.Generator, centre: Array, size: float) -> Field:
    return Ellipsoid(centre, tuple(size * rng.uniform(0.6, 1.6, 3)), random_turn(rng, 90))


def _rod(rng: np.random.Generator, centre: Array, size: float) -> Field:
    end = centre + random_turn(rng, 90)[:, 0] * size * rng.uniform(1, 6)
    return Capsule(centre, end, size * rng.uniform(0.3, 0.8), size * rng.uniform(0.3, 0.8))


def _sheet(rng: np.random.Generator, centre: Array, size: float) -> Field:
    thickness = max(0.0012, 0.12 * size)
    return Slab(
        centre,
        (thickness, size * rng.uniform(0.8, 2), size * rng.uniform(0.8, 2.5)),
        random_turn(rng, 90),
        0.6 * thickness,
    )


def _leaf(rng: np.random.Generator, centre: Array, size: float) -> Field:
    """A turbinate-like body: a rod drawn sideways."""
    turn = random_turn(rng, 90)
    rod = Capsule(centre, centre + turn[:, 0] * size * rng.uniform(1.5, 4), size * rng.uniform(0.2, 0.5), size * 0.5)
    return Swept(rod, centre, turn[:, 1] * size * rng.uniform(1, 3))


def _snake(rng: np.random.Generator, centre: Array, size: float) -> Field:
    knots = draw_bends(rng, size * rng.uniform(4, 10), 40, 3 * size) @ random_turn(rng, 90).T
    line = CentreLine(centre + knots - knots.mean(axis=0))
    return Loop(line, draw_radii(rng, line.length, size * rng.uniform(0.3, 0.7), rng.uniform(0, 0.3), size))
