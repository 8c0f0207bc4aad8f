"""Instruments and debris as they are met inside bodies: drawn from a seed, moved by time alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.spatial.transform import Rotation

from endo_depth_ros.synthetic.noise import smooth_curve
from endo_depth_ros.synthetic.solid import Array, Rods, Solid
from endo_depth_ros.synthetic.surface_view import DEBRIS, INSTRUMENT

_SHAFT_LENGTH = 0.3  # far beyond the image's border
# Instruments come out of the scope itself, beside the lens, or through trocars of their own, so far from the lens.
_OTHER_TROCAR = (0.02, 0.08)
STEEL, BLACK, WHITE, BLUE, BRASS = (
    np.array(rgb)
    for rgb in ((0.42, 0.42, 0.43), (0.03, 0.03, 0.035), (0.75, 0.75, 0.72), (0.05, 0.16, 0.4), (0.5, 0.36, 0.12))
)
_SHAFTS = (STEEL, BLACK, WHITE, BLUE)


@dataclass(frozen=True, eq=False)
class Rod:
    """One of the Rods."""

    a: tuple[float, float, float]
    b: tuple[float, float, float]
    radius_a: float
    radius_b: float
    albedo: Array
    gloss: float = 0.8
    bands: float = 0.0


def draw_solids(rng: np.random.Generator, way: Array, room: float, rigid: bool = False) -> tuple[Solid, ...]:
    """None, or some, of what may be in a body, whose way [M, 3] has about `room` metres around it.

    rigid: whether the scope goes through a trocar; instruments then have trocars of their own.
    """
    beside = _OTHER_TROCAR if rigid else (0.05 * room, 0.5 * room)
    held = [draw_instrument(rng, room, beside) for _ in range(int(rng.choice([0, 1, 2], p=[0.6, 0.3, 0.1])))]
    loose = [draw_debris(rng, way, room) for _ in range(int(rng.choice([0, 1, 3, 6], p=[0.7, 0.1, 0.1, 0.1])))]
    return (*held, *loose)


def draw_instrument(rng: np.random.Generator, room: float, beside: tuple[float, float]) -> Solid:
    """An instrument whose tip is in view, its shaft out of the image; it slides, swings, turns and grips.

    beside: least and greatest distance in metres from the lens to where the shaft passes it. Solid frame: the tip at
    the origin, the shaft along -z. Base: the camera.
    """
    radius = float(np.clip(room * rng.uniform(0.04, 0.12), 0.0006, 0.005))
    ahead = max(room * rng.uniform(0.5, 2.0), 6 * radius)
    length = min(radius * rng.uniform(3, 12), 0.45 * ahead)
    tool = (_gripper, _probe, _snare)[rng.integers(3)](rng, radius, length)
    turn = rng.uniform(0, 2 * math.pi)
    port = np.array([math.cos(turn), math.sin(turn), 0.0]) * (radius + 0.001 + rng.uniform(*beside))
    target = np.array([*(ahead * rng.uniform(-0.35, 0.35, 2)), ahead])
    slide = smooth_curve(rng, 1, 0.15 * ahead, (0.1, 0.8))
    swing = smooth_curve(rng, 3, 0.08 * ahead, (0.1, 0.6))
    spin = smooth_curve(rng, 1, 0.6, (0.05, 0.4))

    def pose(time_s: float) -> Array:
        tip = target + swing.at(time_s)
        z = (tip - port) / np.linalg.norm(tip - port)
        tip = tip + z * slide.at(time_s)[0]
        T = np.eye(4)
        turned = Rotation.from_rotvec(spin.at(time_s)[0] * z) * Rotation.align_vectors([z], [[0.0, 0.0, 1.0]])[0]
        T[:3, :3], T[:3, 3] = turned.as_matrix(), tip
        return T

    return Solid(INSTRUMENT, True, tool, pose)


def draw_debris(rng: np.random.Generator, way: Array, room: float) -> Solid:
    """A lump of stool, food, fat or foam somewhere along the way, drifting a little. Base: the world."""
    size = room * rng.uniform(0.02, 0.12)
    albedo = np.array([0.6, 0.5, 0.25]) * rng.uniform(0.3, 1.2) * (1 + rng.normal(0, 0.15, 3))
    middles = rng.normal(0, 0.5 * size, (4, 2, 3))
    colour, gloss = albedo.clip(0.02, 0.9), rng.uniform(0.1, 0.9)
    radii = size * rng.uniform(0.3, 0.9, (4, 2))
    rods = _as_rods([Rod(a, b, ra, rb, colour, gloss) for (a, b), (ra, rb) in zip(middles, radii, strict=True)])
    at = way[rng.integers(len(way))] + _unit(rng) * room * rng.uniform(0.5, 1.0)
    drift = smooth_curve(rng, 3, 0.05 * room, (0.05, 0.4))
    turning = _unit(rng) * rng.uniform(0, 0.5)

    def pose(time_s: float) -> Array:
        T = np.eye(4)
        T[:3, :3] = Rotation.from_rotvec(turning * time_s).as_matrix()
        T[:3, 3] = at + drift.at(time_s)
        return T

    return Solid(DEBRIS, False, lambda time_s: rods, pose)


def _gripper(rng: np.random.Generator, radius: float, length: float) -> Callable[[float], Rods]:
    """Forceps, graspers, scissors: two jaws that open on a wrist."""
    metal = STEEL if rng.random() < 0.8 else BRASS
    blunt, sharp = radius * rng.uniform(0.4, 0.65), radius * rng.uniform(0.15, 0.5)
    bulge = rng.uniform(0.0, 0.35)
    shaft = _shaft(rng, radius, -length)
    opening = smooth_curve(rng, 1, 0.25, (0.1, 0.8))

    def shape(time_s: float) -> Rods:
        angle = abs(0.25 + opening.at(time_s)[0])
        rods = list(shaft)
        for side in (-1, 1):
            middle = (
                0.0,
                side * 0.55 * length * math.sin(angle + bulge),
                -length * (1 - 0.55 * math.cos(angle + bulge)),
            )
            tip = (0.0, side * length * math.sin(angle), -length * (1 - math.cos(angle)))
            rods.append(Rod((0.0, 0.0, -length), middle, blunt, 0.8 * blunt, metal))
            rods.append(Rod(middle, tip, 0.8 * blunt, sharp, metal))
        return _as_rods(rods)

    return shape


def _probe(rng: np.random.Generator, radius: float, length: float) -> Callable[[float], Rods]:
    """Suction tubes, needles and catheters: a shaft with a tip of its own, straight or bent."""
    bend = rng.uniform(0, 0.5) * length * rng.integers(0, 2)
    tip = Rod((0.0, 0.0, -length), (0.0, bend, 0.0), radius * rng.uniform(0.4, 1), radius * rng.uniform(0.1, 1), STEEL)
    rods = _as_rods([*_shaft(rng, radius, -length), tip])
    return lambda time_s: rods


def _snare(rng: np.random.Generator, radius: float, length: float) -> Callable[[float], Rods]:
    """A wire loop out of a sheath."""
    wire = radius * rng.uniform(0.12, 0.25)
    width = rng.uniform(0.25, 0.5)
    turns = np.linspace(0, 2 * math.pi, 17)
    ring = np.stack([0 * turns, width * length * np.sin(turns), -length * (0.5 + 0.5 * np.cos(turns))], axis=1)
    loop = [Rod(a, b, wire, wire, STEEL) for a, b in pairwise(ring)]
    rods = _as_rods([*_shaft(rng, radius, -length), *loop])
    return lambda time_s: rods


def _shaft(rng: np.random.Generator, radius: float, end: float) -> list[Rod]:
    """Shaft and collar up to z = end."""
    colour = _SHAFTS[rng.integers(len(_SHAFTS))] * rng.uniform(0.7, 1.2)
    bands = radius * rng.uniform(6, 20) if rng.random() < 0.25 else 0.0
    gloss = rng.uniform(0.3, 1.0)
    collar = end - radius * rng.uniform(1, 6)
    return [
        Rod((0.0, 0.0, end - _SHAFT_LENGTH), (0.0, 0.0, collar), radius, radius, colour, gloss, bands),
        Rod((0.0, 0.0, collar), (0.0, 0.0, end), 0.95 * radius, 0.9 * radius, STEEL, 0.9),
    ]


def _as_rods(rods: list[Rod]) -> Rods:
    names = ("a", "b", "radius_a", "radius_b", "albedo", "gloss", "bands")
    return Rods(*(np.array([getattr(rod, name) for rod in rods], np.float64) for name in names))


def _unit(rng: np.random.Generator) -> Array:
    direction = rng.standard_normal(3)
    return np.asarray(direction / np.linalg.norm(direction))
