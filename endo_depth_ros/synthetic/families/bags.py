"""Bags: a stomach with its rugae and pylorus, a bladder with the ureters' openings."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from torch import Tensor

from endo_depth_ros.synthetic.anatomy import Anatomy
from endo_depth_ros.synthetic.families.building import (
    MUCOSA,
    WALL,
    Component,
    Roughness,
    assemble,
    box_around,
    draw_palettes,
    draw_roughness,
    find_way,
    join,
)
from endo_depth_ros.synthetic.families.centre_line import CentreLine
from endo_depth_ros.synthetic.families.loops import Loop
from endo_depth_ros.synthetic.families.shapes import Capsule, Ellipsoid, Field, random_turn
from endo_depth_ros.synthetic.families.uneven_skin import Lobed
from endo_depth_ros.synthetic.families.volume_noise import VolumeNoise

Array = NDArray[np.float64]


def draw_stomach(rng: np.random.Generator) -> Anatomy:
    """A bent bag with soft lengthwise folds (rugae) that narrows to the ring of the pylorus; sometimes with a bulge."""
    radius, length = rng.uniform(0.020, 0.042), rng.uniform(0.09, 0.16)
    angle = np.linspace(0, rng.uniform(0.4, 1.9), 9)
    knots = length / angle[-1] * np.stack([1 - np.cos(angle), 0 * angle, np.sin(angle)], axis=1)
    line = CentreLine(knots + rng.normal(0, 0.001, knots.shape))
    ring = rng.uniform(0.09, 0.22)
    corners = [0, 0.35, 0.7, 0.84, 0.9, 1], [0.95, 1, rng.uniform(0.55, 0.8), 0.45, ring, 0.4]
    profile = gaussian_filter1d(np.interp(np.linspace(0, 1, 160), *corners), 4.0)
    lumen = Loop(line, radius * profile)
    noise, stretch = VolumeNoise(rng, 2), rng.uniform(0.15, 0.5)
    height, cell = radius * rng.choice([0.0, rng.uniform(0.08, 0.28)], p=[0.2, 0.8]), radius * rng.uniform(0.2, 0.4)

    def wall(points: Tensor) -> Tensor:
        s, u, v, _ = line.nearest(points)
        stretched = torch.stack([stretch * s, u, v])
        folds = soft_ridges(noise.at(stretched, cell)[0], 1.1)
        where = torch.sigmoid(2.5 * noise.at(points, 0.04)[1] + 0.5)
        return -lumen(points) - height * where * folds

    components = [Component(wall, 0)]
    if rng.random() < 0.4:
        at = line.at(rng.uniform(0.2, 0.6) * line.length, *(rng.choice([-1, 1], 2) * 0.6 * radius))
        body = Ellipsoid(at, tuple(radius * rng.uniform(0.12, 0.35, 3)), random_turn(rng, 90))
        components.append(Component(body, 1, 0.3 * radius))
    way = np.array([line.at(s) for s in np.linspace(0.02, 0.84 * line.length, 40)])
    palettes = draw_palettes(rng, [("stomach", "stomach", *MUCOSA), ("polyp", "stomach", *MUCOSA)])
    box = box_around(line.points, 1.1 * radius + WALL)
    return assemble(rng, "stomach", components, draw_roughness(rng, radius, 0.03), palettes, box, way)


def draw_bladder(rng: np.random.Generator) -> Anatomy:
    """A smooth bag with two low mounds, a bar between them, sometimes cords of muscle and tumours."""
    half = rng.uniform(0.017, 0.042) * rng.uniform((0.85, 0.65, 0.85), (1.2, 1.0, 1.2))
    bag = Ellipsoid(np.zeros(3), (half[0], half[1], half[2]), random_turn(rng, 10))
    noise = VolumeNoise(rng, 1)
    cords, cell = rng.choice([0.0, rng.uniform(2e-4, 1.2e-3)]), float(half.mean()) * rng.uniform(0.12, 0.3)

    def wall(points: Tensor) -> Tensor:
        return -bag(points) - cords * soft_ridges(noise.at(points, cell)[0], 2.0)

    components = [Component(wall, 0), *_draw_trigone(rng, half)]
    for _ in range(int(rng.choice([0, 1, 3], p=[0.5, 0.3, 0.2]))):
        components.append(Component(_draw_tumour(rng, half), 1, 0.001))
    roughness: Roughness = draw_roughness(rng, float(half.mean()), 0.04)
    box = -1.1 * half - WALL, 1.1 * half + WALL
    way = find_way(join(components, roughness), (-half, half), half * (0, 0.4, -0.8), 0.005, rng)
    palettes = draw_palettes(rng, [("bladder", "bladder", "mucosa_pale", "mucosa_pink"), ("polyp", "mucosa_red")])
    return assemble(rng, "bladder", components, roughness, palettes, box, way, way_margin=0.0045)


def soft_ridges(noise: Tensor, narrow: float) -> Tensor:
    """Height 0-1 [N] of rounded ridges where noise [N] passes zero."""
    return (1 - narrow * (torch.sqrt(noise * noise + 0.02) - 0.14)).clamp_min(0).square()


def _draw_trigone(rng: np.random.Generator, half: Array) -> list[Component]:
    """The mounds of the two ureters on the floor, and the bar between them."""
    mounds = []
    for side in (-1.0, 1.0):
        direction = np.array([side * rng.uniform(0.3, 0.5), 0.9, rng.uniform(-0.2, 0.2)])
        mounds.append(half * direction / np.linalg.norm(direction))
    size = float(half.mean()) * rng.uniform(0.06, 0.13)
    bodies: list[Field] = [Ellipsoid(at, (1.3 * size, size, 1.3 * size), random_turn(rng, 15)) for at in mounds]
    bodies.append(Capsule(mounds[0], mounds[1], 0.6 * size, 0.6 * size))
    return [Component(body, 0, 1.5 * size) for body in bodies]


def _draw_tumour(rng: np.random.Generator, half: Array) -> Field:
    """A tuft on the wall."""
    direction = rng.normal(size=3)
    size = float(half.mean()) * rng.uniform(0.06, 0.25)
    body = Ellipsoid(half * direction / np.linalg.norm(direction), tuple(size * rng.uniform(0.7, 1.3, 3)), np.eye(3))
    return Lobed(body, VolumeNoise(rng, 1), rng.uniform(0.0, 0.2) * size, max(0.0018, 0.35 * size))
