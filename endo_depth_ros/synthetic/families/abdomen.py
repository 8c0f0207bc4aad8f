"""Abdomen: a dome of peritoneum over liver, gallbladder, stomach, loops of bowel and fat, as a laparoscope sees it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from endo_depth_ros.synthetic.anatomy import Anatomy
from endo_depth_ros.synthetic.families.building import (
    WALL,
    Component,
    Roughness,
    assemble,
    draw_palettes,
)
from endo_depth_ros.synthetic.families.centre_line import CentreLine
from endo_depth_ros.synthetic.families.loops import Loop, draw_radii
from endo_depth_ros.synthetic.families.shapes import (
    Ellipsoid,
    Field,
    Hollow,
    Slab,
    column,
    random_turn,
    smooth_intersection,
)
from endo_depth_ros.synthetic.families.uneven_skin import Lobed, Uneven
from endo_depth_ros.synthetic.families.volume_noise import VolumeNoise

Array = NDArray[np.float64]
_WALL, _LIVER, _GALLBLADDER, _STOMACH, _BOWEL, _FAT, _VESSEL = range(7)
_PALETTES = (
    ("peritoneum", "peritoneum", "fat", "mucosa_pink"),
    ("liver",),
    ("gallbladder", "gallbladder", "fat", "liver"),
    ("stomach", "stomach", "mucosa_pale"),
    ("bowel", "bowel", "mucosa_pink", "mucosa_pale"),
    ("fat", "fat", "fat", "peritoneum", "bowel"),
    ("vessel", "bowel", "peritoneum"),
)


def draw_abdomen(rng: np.random.Generator) -> Anatomy:
    """X to a side, y down, z away from the trocar, which is at the front of the dome."""
    scale = rng.uniform(0.5, 1.05)
    half = scale * rng.uniform((0.080, 0.060, 0.085), (0.115, 0.085, 0.120))
    side = float(rng.choice([-1, 1]))
    components = [Component(_draw_dome(rng, half), _WALL), Component(_draw_floor(rng, half), _FAT, 0.006)]
    components += _draw_liver(rng, half, side)
    if rng.random() < 0.6:
        components.append(Component(_draw_stomach(rng, half, side), _STOMACH, 0.004 * scale))
    components += [_draw_bowel(rng, half) for _ in range(int(rng.integers(0, 3)))]
    components += [_draw_fat(rng, half) for _ in range(int(rng.integers(2, 8)))]
    components += [_draw_vessel(rng, half) for _ in range(int(rng.choice([0, 1, 3])))]
    if rng.random() < 0.35:
        components.append(_draw_ligament(rng, half, side))
    roughness = Roughness(VolumeNoise(rng, 1), (0.04, 0.012, 0.005), (0.002, 4e-4 * rng.uniform(0, 2), 1e-4))
    box = -1.12 * half - WALL, 1.12 * half + WALL
    trocar = half * rng.uniform((-0.5, -0.8, -0.9), (0.5, -0.4, -0.6))
    anatomy = assemble(
        rng,
        "abdomen",
        components,
        roughness,
        draw_palettes(rng, _PALETTES),
        box,
        _draw_way(rng, half, trocar),
        way_margin=0.008 * scale,
    )
    return replace(anatomy, trocar=(float(trocar[0]), float(trocar[1]), float(trocar[2])))


def _draw_way(rng: np.random.Generator, half: Array, trocar: Array) -> Array:
    """Points [12, 3] that a scope from the trocar visits as it turns from organ to organ, near them and far."""
    targets = half * rng.uniform((-0.55, -0.1, 0.0), (0.55, 0.6, 0.8), (12, 3))
    targets = targets[np.argsort(targets[:, 0])]
    return trocar + rng.uniform(0.2, 0.75, (12, 1)) * (targets - trocar)


def _draw_dome(rng: np.random.Generator, half: Array) -> Field:
    """The abdominal wall, and behind and below what fills the abdomen, as one uneven bag."""
    bag = Ellipsoid(np.zeros(3), (half[0], half[1], half[2]), np.eye(3))
    return Uneven(Hollow(bag), VolumeNoise(rng, 1), 0.05 * float(half.mean()) * rng.uniform(0.3, 1.5), 0.05)


def _draw_floor(rng: np.random.Generator, half: Array) -> Field:
    """What covers the bowel below and behind: an apron of fat in soft lobes."""
    tilt = np.array([rng.normal(0, 0.12), 1.0, rng.uniform(0.1, 0.9)])
    tilt /= np.linalg.norm(tilt)
    depth = half[1] * rng.uniform(0.2, 0.55)
    noise, cell = VolumeNoise(rng, 1), rng.uniform(0.012, 0.03)
    height = cell * rng.uniform(0.1, 0.35)

    def floor(points: Tensor) -> Tensor:
        return depth - (points * column(tilt, points)).sum(0)

    return Lobed(floor, noise, height, cell)


def _draw_liver(rng: np.random.Generator, half: Array, side: float) -> list[Component]:
    """One or two lobes with a sharp lower edge, and under them, mostly, the gallbladder."""
    lobes, result = int(rng.integers(1, 3)), []
    centre = half * (side * rng.uniform(0.25, 0.55), rng.uniform(-0.35, 0.15), rng.uniform(0.2, 0.6))
    for lobe in range(lobes):
        middle = centre + lobe * half * (-side * rng.uniform(0.4, 0.7), rng.uniform(-0.2, 0.2), rng.uniform(-0.2, 0.1))
        result.append(Component(_draw_lens(rng, middle, half * rng.uniform(0.45, 0.75)), _LIVER, 0.002))
    if rng.random() < 0.75:
        neck = centre + half * (rng.uniform(-0.2, 0.2), rng.uniform(0.1, 0.3), rng.uniform(-0.1, 0.2))
        fundus = neck + half * (rng.uniform(-0.3, 0.3), rng.uniform(0.1, 0.35), -rng.uniform(0.3, 0.55))
        bend = (neck + fundus) / 2 + rng.normal(0, 0.06, 3) * half
        line = CentreLine(np.stack([neck, 0.5 * (neck + bend), bend, 0.5 * (bend + fundus), fundus]))
        radius = float(half.mean()) * rng.uniform(0.08, 0.16)
        profile = radius * np.interp(np.linspace(0, 1, 24), [0, 0.25, 0.7, 1], [0.3, 0.55, 1.0, 0.85])
        result.append(Component(Loop(line, profile), _GALLBLADDER, 0.003))
    return result


def _draw_lens(rng: np.random.Generator, centre: Array, half_axes: Array) -> Field:
    """What two ellipsoids share: two bulging faces that meet in an edge."""
    turn = random_turn(rng, 35)
    shift = turn[:, 1] * float(half_axes[1]) * rng.uniform(0.45, 0.75)
    upper = Ellipsoid(centre + shift, tuple(half_axes), turn)
    lower = Ellipsoid(centre - shift, tuple(half_axes * rng.uniform(0.9, 1.2)), turn @ random_turn(rng, 8))
    edge = rng.uniform(0.001, 0.006)

    def lens(points: Tensor) -> Tensor:
        return smooth_intersection(upper(points), lower(points), edge)

    return Uneven(lens, VolumeNoise(rng, 1), 0.0015 * rng.uniform(0.2, 2), 0.025)


def _draw_stomach(rng: np.random.Generator, half: Array, side: float) -> Field:
    """A thick, bent, tapering bag beside the liver."""
    start = half * (-side * rng.uniform(0.5, 0.8), rng.uniform(-0.2, 0.3), rng.uniform(0.2, 0.7))
    end = half * (side * rng.uniform(-0.1, 0.4), rng.uniform(0.2, 0.6), rng.uniform(-0.1, 0.6))
    bend = (start + end) / 2 + half * (0, rng.uniform(0.0, 0.4), -rng.uniform(0, 0.4))
    line = CentreLine(np.stack([start, 0.55 * start + 0.45 * bend, bend, 0.5 * (bend + end), end]))
    radius = float(half.mean()) * rng.uniform(0.2, 0.38)
    return Loop(line, radius * np.interp(np.linspace(0, 1, 24), [0, 0.4, 1], [1.0, 0.9, 0.45]))


def _draw_bowel(rng: np.random.Generator, half: Array) -> Component:
    """Loops of bowel on the floor: narrow and smooth, or wide with the pouches of a colon."""
    knots = rng.uniform((-0.75, 0.25, -0.75), (0.75, 0.75, 0.75), (int(rng.integers(5, 14)), 3)) * half
    line = CentreLine(knots)
    radius = float(np.clip(half.mean() * rng.uniform(0.09, 0.2), 0.006, 0.018))
    uneven = rng.choice([0.03, rng.uniform(0.1, 0.3)])
    return Component(Loop(line, draw_radii(rng, line.length, radius, uneven, 1.4 * radius)), _BOWEL, 0.002)


def _draw_fat(rng: np.random.Generator, half: Array) -> Component:
    """A heap of fat: lobules with creases between them."""
    centre = half * rng.uniform((-0.8, 0.1, -0.7), (0.8, 0.9, 0.9))
    body = Ellipsoid(centre, tuple(half * rng.uniform((0.12, 0.1, 0.12), (0.45, 0.3, 0.45))), random_turn(rng, 40))
    noise, cell, height = VolumeNoise(rng, 1), rng.uniform(0.006, 0.016), rng.uniform(0.15, 0.4)
    return Component(Lobed(body, noise, height * cell, cell), _FAT, 0.003)


def _draw_vessel(rng: np.random.Generator, half: Array) -> Component:
    """A duct or vessel that crosses from organ to organ."""
    start, end = rng.uniform((-0.7, -0.1, -0.3), (0.7, 0.7, 0.8), (2, 3)) * half
    sway = rng.normal(0, 0.06, (3, 3)) * half
    between = start + np.array([[0.25], [0.5], [0.75]]) * (end - start) + sway
    knots = np.concatenate([start[None], between, end[None]])
    line = CentreLine(knots)
    radius = rng.uniform(0.0018, 0.0045)
    return Component(Loop(line, draw_radii(rng, line.length, radius, 0.1, 0.02)), _VESSEL, 0.003)


def _draw_ligament(rng: np.random.Generator, half: Array, side: float) -> Component:
    """A sheet that hangs from the dome."""
    centre = half * (side * rng.uniform(-0.5, 0.3), -rng.uniform(0.5, 0.8), rng.uniform(0.0, 0.6))
    sheet = Slab(centre, (0.0025, float(half[1]) * 0.4, float(half[2]) * 0.5), random_turn(rng, 25), 0.002)
    return Component(sheet, _FAT if rng.random() < 0.5 else _WALL, 0.006)
