"""Tubes without folds: a blind end, and an oesophagus whose folds close like a star."""

from __future__ import annotations

import numpy as np

from endo_depth_ros.synthetic.anatomy import Anatomy
from endo_depth_ros.synthetic.families.building import MUCOSA, Component, assemble, draw_palettes, draw_roughness
from endo_depth_ros.synthetic.families.centre_line import CentreLine, draw_bends
from endo_depth_ros.synthetic.families.tube_wall import TubeWall, draw_bowl, surface_grid


def draw_blind_tube(rng: np.random.Generator) -> Anatomy:
    """A smooth tube of varying width with a blind end."""
    radius = rng.uniform(0.006, 0.020)
    line = CentreLine(draw_bends(rng, radius * rng.uniform(4, 9), rng.uniform(3, 35), 4 * radius))
    grid = surface_grid(line.length, radius)
    bulges = rng.uniform(0.01, 0.1) * grid.noise(rng, rng.uniform(0.8, 2) * radius)
    taper = 1 + rng.uniform(-0.35, 0.35) * (grid.s / line.length - 0.5)
    wall = TubeWall(
        line,
        grid,
        radius * taper[:, None] * (1 + bulges),
        (draw_bowl(rng, radius), draw_bowl(rng, radius)),
        0.8 * radius,
    )
    return _assemble(rng, "blind_tube", wall, ("airway", "bladder", *MUCOSA), 0.9 * radius)


def draw_oesophagus(rng: np.random.Generator) -> Anatomy:
    """A narrow tube whose lengthwise folds close to a star here and there."""
    radius = rng.uniform(0.007, 0.013)
    line = CentreLine(draw_bends(rng, rng.uniform(0.08, 0.18), rng.uniform(2, 15), 6 * radius))
    grid = surface_grid(line.length, radius)
    folds = int(rng.integers(4, 8))
    twist = rng.uniform(-6, 6) * grid.s[:, None] + 0.25 * grid.noise(rng, 1.5 * radius)
    star = 0.5 + 0.5 * np.cos(folds * (grid.phi[None] + twist) + rng.uniform(0, 6))
    wave = np.sin(2 * np.pi * grid.s / rng.uniform(0.03, 0.08) + rng.uniform(0, 6))
    closing = np.clip(rng.uniform(0.1, 0.5) + 0.35 * wave, 0.05, 0.75)[:, None]
    closing = np.maximum(closing, 0.9 / (1 + np.exp((line.length - 0.02 - grid.s[:, None]) / 0.004)))
    uneven = 1 + rng.uniform(0.01, 0.06) * grid.noise(rng, radius)
    wall = TubeWall(
        line,
        grid,
        radius * uneven * (1 - closing * (0.35 + 0.55 * star ** rng.uniform(0.6, 1.5))),
        (draw_bowl(rng, radius), draw_bowl(rng, radius)),
        0.5 * radius,
    )
    return _assemble(rng, "oesophagus", wall, ("mucosa_pale", "mucosa_pink"), radius)


def _assemble(
    rng: np.random.Generator, family: str, wall: TubeWall, palettes: tuple[str, ...], margin: float
) -> Anatomy:
    return assemble(
        rng,
        family,
        [Component(wall.clearance, 0)],
        draw_roughness(rng, wall.grid.radius, 0.02),
        draw_palettes(rng, [palettes]),
        wall.box(),
        wall.way(margin),
        finest=3e-4,
        way_margin=0.002,
    )
