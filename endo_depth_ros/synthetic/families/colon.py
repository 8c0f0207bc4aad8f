"""Colon: a bent tube with sharp crescent folds between three bands of muscle; with polyps, or up to the caecum."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.synthetic.anatomy import Anatomy
from endo_depth_ros.synthetic.families.building import (
    MUCOSA,
    Component,
    assemble,
    draw_palettes,
    draw_roughness,
)
from endo_depth_ros.synthetic.families.centre_line import CentreLine, draw_bends
from endo_depth_ros.synthetic.families.polyps import draw_polyp
from endo_depth_ros.synthetic.families.shapes import Ellipsoid
from endo_depth_ros.synthetic.families.tube_wall import SurfaceGrid, TubeWall, draw_bowl, draw_lobes, surface_grid


def draw_colon(rng: np.random.Generator) -> Anatomy:
    """A length of colon without findings."""
    return _assemble(rng, "colon", _draw_wall(rng, rng.uniform(0.12, 0.22)), [])


def draw_colon_polyps(rng: np.random.Generator) -> Anatomy:
    """A length of colon with two to seven polyps."""
    wall = _draw_wall(rng, rng.uniform(0.10, 0.16))
    polyps = [draw_polyp(rng, wall, s) for s in rng.uniform(0.15, 0.85, int(rng.integers(2, 8))) * wall.line.length]
    return _assemble(rng, "colon_polyps", wall, polyps)


def draw_caecum(rng: np.random.Generator) -> Anatomy:
    """The end of the colon: a lobed wall with creases, the lips of the ileocaecal valve, the dimple of the appendix."""
    wall = _draw_wall(rng, rng.uniform(0.05, 0.11), lobed=True)
    return _assemble(rng, "caecum", wall, [_draw_lip(rng, wall)] if rng.random() < 0.7 else [])


def _assemble(rng: np.random.Generator, family: str, wall: TubeWall, findings: list[Component]) -> Anatomy:
    radius = wall.grid.radius
    return assemble(
        rng,
        family,
        [Component(wall.clearance, 0), *findings],
        draw_roughness(rng, radius, 0.02),
        draw_palettes(rng, [MUCOSA, ("polyp", *MUCOSA)]),
        wall.box(),
        wall.way(0.6 * radius),
    )


def _draw_wall(rng: np.random.Generator, length: float, lobed: bool = False) -> TubeWall:
    radius = rng.uniform(0.012, 0.030)
    line = CentreLine(draw_bends(rng, length, rng.uniform(5, 45), 4 * radius))
    grid = surface_grid(line.length, radius)
    far = draw_lobes(rng, radius) if lobed else draw_bowl(rng, radius)
    return TubeWall(line, grid, _draw_radius(rng, grid), (draw_bowl(rng, radius), far), 0.35 * radius)


def _draw_radius(rng: np.random.Generator, grid: SurfaceGrid) -> NDArray[np.float64]:
    """Distance of the wall from the centre line, [S, P], metres."""
    corner = rng.uniform(0, 2 * np.pi)
    # Three bands of muscle (taeniae) pull the cross-section into a rounded triangle.
    triangle = rng.uniform(0, 0.13) * np.cos(3 * (grid.phi - corner))[None]
    bulges = rng.uniform(0.01, 0.08) * grid.noise(rng, 1.3 * grid.radius)
    narrowing = rng.uniform(0, 0.15) * np.sin(grid.s / rng.uniform(0.015, 0.05) + rng.uniform(0, 6))[:, None]
    radius = grid.radius * (1 + triangle + bulges + narrowing)
    spacing = grid.radius * rng.uniform(0.5, 1.2)
    height = grid.radius * rng.choice([rng.uniform(0.05, 0.25), rng.uniform(0.25, 0.65)], p=[0.2, 0.8])
    thickness = max(0.0016, grid.radius * rng.uniform(0.06, 0.16))
    folds = np.zeros_like(radius)
    position = grid.s[0]
    while position < grid.s[-1]:
        position += spacing * rng.uniform(0.6, 1.5)
        folds = np.maximum(folds, _draw_fold(rng, grid, position, corner, height, thickness))
    return np.maximum(radius - folds, 0.3 * grid.radius)


def _draw_fold(
    rng: np.random.Generator, grid: SurfaceGrid, position: float, corner: float, height: float, thickness: float
) -> NDArray[np.float64]:
    """Height of one haustral fold over the wall, [S, P]: up to three crescents between the taeniae."""
    crescents = np.zeros_like(grid.phi)
    for crescent in range(3):
        middle = corner + np.pi / 3 + crescent * 2 * np.pi / 3 + rng.normal(0, 0.2)
        away = (grid.phi - middle + np.pi) % (2 * np.pi) - np.pi
        crescents += rng.uniform(0.2, 1.0) * height * np.exp(-((np.abs(away) / rng.uniform(0.7, 1.2)) ** 4))
    wander = sum(
        rng.uniform(0, 0.12) * grid.radius / k * np.sin(k * grid.phi + rng.uniform(0, 2 * np.pi)) for k in (1, 2, 3, 5)
    )
    ds = grid.s[:, None] - position - np.asarray(wander)[None]
    crest = 0.25 * thickness  # the edge is this blunt
    lean = thickness * np.where(ds > 0, rng.uniform(0.8, 1.5), rng.uniform(0.8, 1.5))
    profile = np.exp(-(np.sqrt(ds**2 + crest**2) - crest) / lean)
    return crescents[None] * profile


def _draw_lip(rng: np.random.Generator, wall: TubeWall) -> Component:
    """A lip of the ileocaecal valve: a flat, soft bulge on the side wall near the end."""
    radius = wall.grid.radius
    s, phi = wall.line.length - rng.uniform(0.3, 1.0) * radius, rng.uniform(-np.pi, np.pi)
    inward, frame = wall.inward(s, phi), wall.line.frame(s)
    around = np.cross(frame[:, 2], inward)
    tilt = rng.uniform(-0.5, 0.5)
    along = math.cos(tilt) * frame[:, 2] + math.sin(tilt) * around
    turn = np.stack([inward, np.cross(along, inward), along], axis=1)
    half_axes = (radius * rng.uniform(0.25, 0.5), radius * rng.uniform(0.4, 0.7), radius * rng.uniform(0.15, 0.3))
    return Component(Ellipsoid(wall.wall_point(s, phi, 0.0), half_axes, turn), 0, 0.25 * radius)
