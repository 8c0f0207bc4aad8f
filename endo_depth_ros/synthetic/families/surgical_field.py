"""Surgical field: a nearly flat bed of tissue with organs half sunk in it, as a laparoscope sees it at work.

Where most of the picture is at one distance, colour says more about what lies there than about how far it is: a dark
kidney bulges out of pale fat. So colours are drawn apart from relief, and organs, bed and bowel may be dark.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation
from torch import Tensor

from endo_depth_ros.synthetic.anatomy import Anatomy
from endo_depth_ros.synthetic.families.building import WALL, Component, Roughness, assemble, draw_palettes
from endo_depth_ros.synthetic.families.centre_line import CentreLine
from endo_depth_ros.synthetic.families.loops import Loop, draw_radii
from endo_depth_ros.synthetic.families.shapes import Ellipsoid, Field, Hollow, random_turn
from endo_depth_ros.synthetic.families.uneven_skin import Lobed, Uneven
from endo_depth_ros.synthetic.families.volume_noise import VolumeNoise

Array = NDArray[np.float64]
_WALL, _BED, _ORGAN, _OTHER_ORGAN, _FAT, _VESSEL, _BOWEL = range(7)
_BEDS = ("fat", "fat", "peritoneum", "mucosa_pink", "mucosa_pale", "bowel", "muscle", "liver")
_ORGANS = ("kidney", "kidney", "liver", "muscle", "bowel", "stomach", "gallbladder", "fat", "peritoneum")
_PALETTES = (
    ("peritoneum", "fat", "mucosa_pink", "muscle"),
    _BEDS,
    _ORGANS,
    _ORGANS,
    ("fat", "fat", "peritoneum", "mucosa_pale"),
    ("vessel", "vessel", "bowel", "peritoneum", "liver"),
    ("bowel", "bowel", "mucosa_pink", "mucosa_pale", "muscle"),
)


def draw_surgical_field(rng: np.random.Generator) -> Anatomy:
    """X and y along the bed, z into it; the trocar is 3 to 10 cm before its middle, towards +y: it is seen aslant."""
    height = rng.uniform(0.05, 0.12)
    half = height * np.array([rng.uniform(0.85, 1.25), rng.uniform(0.85, 1.25), 1.05])
    bed = _draw_bed(rng, height)
    components = [Component(_draw_bag(rng, half), _WALL), Component(bed, _BED, 0.01)]
    for part in (_ORGAN, _OTHER_ORGAN):
        components += [_draw_organ(rng, bed, half, part) for _ in range(int(rng.integers(0, 3)))]
    components += [_draw_bowel(rng, bed, half) for _ in range(int(rng.integers(0, 3)))]
    components += [_draw_fat(rng, bed, half) for _ in range(int(rng.choice([0, 1, 3, 6])))]
    components += [_draw_vessel(rng, bed, half) for _ in range(int(rng.choice([0, 1, 3, 5])))]
    components += [_draw_flap(rng, bed, half) for _ in range(int(rng.choice([0, 1, 2], p=[0.6, 0.25, 0.15])))]
    roughness = Roughness(VolumeNoise(rng, 1), (0.02, 0.007), (4e-4 * rng.uniform(0, 2), 1.5e-4 * rng.uniform(0, 2)))
    box = -1.1 * half - WALL, np.append(1.1 * half[:2], min(bed.deepest + 2 * WALL, 1.1 * half[2])) + WALL
    trocar = height * np.array([rng.uniform(-0.25, 0.25), rng.uniform(0.05, 0.6), -rng.uniform(0.65, 0.8)])
    anatomy = assemble(
        rng,
        "surgical_field",
        components,
        roughness,
        draw_palettes(rng, _PALETTES),
        box,
        _draw_way(rng, bed, half, trocar),
        way_margin=0.006,
    )
    return replace(anatomy, trocar=(float(trocar[0]), float(trocar[1]), float(trocar[2])))


@dataclass(frozen=True, eq=False)
class Bed:
    """Tissue beyond z = depth(x, y): a tilted plane, waves in it, lobules, and perhaps a groove where it was cut.

    slope: z per metre of x and y, [2]. waves: height and length; lobules: the same of bumps with creases between them;
    groove: deepest point, half width, direction (radians), offset from the middle. Metres. deepest: a bound of depth.
    """

    slope: Array
    noise: VolumeNoise
    waves: tuple[float, float]
    lobules: tuple[float, float]
    groove: tuple[float, float, float, float]
    deepest: float

    def depth(self, points: Tensor) -> Tensor:
        """Z of the bed under points [3, N] or beyond them, [N], metres."""
        x, y, _ = points
        flat = torch.stack([x, y, torch.zeros_like(x)])
        wave, length = self.waves
        bump, cell = self.lobules
        bottom, half_width, direction, offset = self.groove
        across = x * float(np.cos(direction)) + y * float(np.sin(direction)) - offset
        plane = x * float(self.slope[0]) + y * float(self.slope[1])
        waves = wave * self.noise.at(flat, length)[0].clamp(-2.5, 2.5)
        # Elsewhere in the noise, so that lobules and waves have nothing to do with each other.
        lobules = bump * self.noise.at(flat + 0.5, cell)[0].abs().clamp_max(2.5)
        return plane + waves - lobules + bottom * torch.exp(-torch.square(across / half_width))

    def __call__(self, points: Tensor) -> Tensor:
        return (self.depth(points) - points[2]) / float(np.hypot(1, np.linalg.norm(self.slope)))

    def point(self, place: Array, above: float) -> Array:
        """The point [3] `above` metres before the bed at place [2], x and y."""
        depth = float(self.depth(torch.tensor([[place[0]], [place[1]], [0.0]], dtype=torch.float32)))
        return np.append(place, depth - above)


def _draw_bed(rng: np.random.Generator, height: float) -> Bed:
    # Mostly nearer towards +y, below in the picture.
    slope = np.clip(rng.normal((0.0, -0.35), (0.15, 0.25)), -0.8, 0.4)
    wave = height * rng.uniform(0.0, 0.06)
    bump, cell = float(rng.choice([0.0, rng.uniform(0.0005, 0.003)], p=[0.4, 0.6])), rng.uniform(0.007, 0.02)
    bottom = float(rng.choice([0.0, rng.uniform(0.004, 0.02)], p=[0.6, 0.4]))
    groove = (bottom, rng.uniform(0.006, 0.02), rng.uniform(0, np.pi), height * rng.normal(0, 0.2))
    deepest = 1.25 * height * float(np.abs(slope).sum()) + 2.5 * wave + bottom
    return Bed(slope, VolumeNoise(rng, 1), (wave, height * rng.uniform(0.3, 0.8)), (bump, cell), groove, deepest)


def _draw_bag(rng: np.random.Generator, half: Array) -> Field:
    """The walls around the field, far from its middle."""
    bag = Ellipsoid(np.zeros(3), (half[0], half[1], half[2]), np.eye(3))
    return Uneven(Hollow(bag), VolumeNoise(rng, 1), 0.04 * float(half.mean()) * rng.uniform(0.3, 1.5), 0.04)


def _draw_way(rng: np.random.Generator, bed: Bed, half: Array, trocar: Array) -> Array:
    """Points [12, 3] between the trocar and the bed that a scope visits as it goes over the field."""
    targets = np.stack([bed.point(half[:2] * rng.uniform(-0.5, 0.5, 2), 0.0) for _ in range(12)])
    targets = targets[np.argsort(targets[:, int(rng.integers(2))])]
    middle = rng.uniform(0.15, 0.55)
    return trocar + np.clip(rng.normal(middle, 0.15, (12, 1)), 0.05, 0.75) * (targets - trocar)


def _draw_organ(rng: np.random.Generator, bed: Bed, half: Array, part: int) -> Component:
    """A convex organ of which the bed lets a cap be seen, under a covering that rounds its border, or bare."""
    axes = np.exp(rng.uniform(np.log((0.012, 0.009, 0.006)), np.log((0.045, 0.030, 0.022))))
    emerges = min(float(axes[2]) * rng.uniform(0.2, 1.3), 0.3 * float(half[2]))
    turn = random_turn(rng, 12) @ _about_z(rng.uniform(0, np.pi))
    centre = bed.point(half[:2] * rng.uniform(-0.6, 0.6, 2), emerges - float(axes[2]))
    body = Ellipsoid(centre, (float(axes[0]), float(axes[1]), float(axes[2])), turn)
    organ = Uneven(body, VolumeNoise(rng, 1), float(axes[2]) * rng.uniform(0.0, 0.08), 0.015)
    return Component(organ, part, rng.uniform(0.001, 0.010))


def _draw_bowel(rng: np.random.Generator, bed: Bed, half: Array) -> Component:
    """Loops of bowel side by side, as they lie when nothing holds them."""
    radius = rng.uniform(0.005, 0.013)
    rows, length = int(rng.integers(1, 6)), rng.uniform(0.4, 1.1) * half[0]
    turn, middle = _about_z(rng.uniform(0, np.pi))[:2, :2], half[:2] * rng.uniform(-0.5, 0.5, 2)
    knots = []
    for row in range(rows):
        for along in (-0.5, 0.0, 0.5) if row % 2 == 0 else (0.5, 0.0, -0.5):
            place = middle + turn @ (np.array([along * length, 2.1 * radius * row]) + rng.normal(0, 0.5 * radius, 2))
            knots.append(bed.point(place, radius * rng.uniform(0.0, 1.0)))
    if rows == 1:
        knots.insert(1, (knots[0] + knots[1]) / 2 + rng.normal(0, radius, 3))
    line = CentreLine(np.stack(knots))
    uneven = float(rng.choice([0.03, rng.uniform(0.1, 0.3)]))
    return Component(Loop(line, draw_radii(rng, line.length, radius, uneven, 1.4 * radius)), _BOWEL, 0.0015)


def _draw_fat(rng: np.random.Generator, bed: Bed, half: Array) -> Component:
    """A low heap of fat in lobules."""
    axes = rng.uniform((0.006, 0.005, 0.003), (0.025, 0.018, 0.010))
    centre = bed.point(half[:2] * rng.uniform(-0.7, 0.7, 2), float(axes[2]) * rng.uniform(-0.5, 0.3))
    body = Ellipsoid(centre, (axes[0], axes[1], axes[2]), random_turn(rng, 15) @ _about_z(rng.uniform(0, np.pi)))
    noise, cell, height = VolumeNoise(rng, 1), rng.uniform(0.005, 0.012), rng.uniform(0.1, 0.3)
    return Component(Lobed(body, noise, height * cell, cell), _FAT, 0.003)


def _draw_vessel(rng: np.random.Generator, bed: Bed, half: Array) -> Component:
    """A vessel, duct or cord that lies on the bed or runs just under its surface."""
    start, end = half[:2] * rng.uniform(-0.8, 0.8, (2, 2))
    radius = float(np.exp(rng.uniform(np.log(0.0012), np.log(0.005))))
    along = np.linspace(0, 1, 6)[:, None]
    course = start + along * (end - start) + rng.normal(0, 0.07, (6, 2)) * half[:2] * np.sin(np.pi * along)
    line = CentreLine(np.stack([bed.point(place, radius * rng.uniform(-0.6, 0.8)) for place in course]))
    return Component(Loop(line, draw_radii(rng, line.length, radius, 0.1, 0.02)), _VESSEL, 0.002)


def _draw_flap(rng: np.random.Generator, bed: Bed, half: Array) -> Component:
    """A wavy sheet of tissue that lies on the bed or was lifted off it."""
    centre = bed.point(half[:2] * rng.uniform(-0.5, 0.5, 2), rng.uniform(0.0, 0.010))
    turn = _about_z(rng.uniform(0, np.pi)) @ random_turn(rng, 45)
    body = Ellipsoid(centre, (rng.uniform(0.012, 0.03), rng.uniform(0.01, 0.02), 0.005), turn)
    sheet = Uneven(body, VolumeNoise(rng, 1), rng.uniform(0.0005, 0.0015), 0.012)
    return Component(sheet, int(rng.choice([_BED, _FAT, _OTHER_ORGAN])), 0.004)


def _about_z(angle: float) -> Array:
    """Rotation matrix [3, 3]."""
    turn: Array = Rotation.from_rotvec([0.0, 0.0, angle]).as_matrix()
    return turn
