"""Airway: a trachea with rings of cartilage that parts into smooth bronchi with sharp carinas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation
from torch import Tensor

from endo_depth_ros.synthetic.anatomy import Anatomy
from endo_depth_ros.synthetic.families.building import Component, assemble, box_around, draw_palettes, draw_roughness
from endo_depth_ros.synthetic.families.shapes import column, smooth_union
from endo_depth_ros.synthetic.families.volume_noise import VolumeNoise

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Branch:
    """A straight, tapered airway from a to b [3], radii in metres; ridge: unit [3], the side without cartilage."""

    a: Array
    b: Array
    radius_a: float
    radius_b: float
    ridge: Array


def draw_airway(rng: np.random.Generator) -> Anatomy:
    """A trachea or large bronchus and two or three generations after it; bent as a whole by a smooth warp."""
    radius = rng.uniform(0.005, 0.0105)
    branches = _draw_tree(rng, radius)
    warp, bend, wave = VolumeNoise(rng, 3), radius * rng.uniform(0.0, 0.25), 5 * radius
    spacing, depth = rng.uniform(0.35, 0.6) * radius, radius * rng.choice([0.0, 0.02, 0.05, 0.08])
    blend = radius * rng.uniform(0.12, 0.35)

    def wall(points: Tensor) -> Tensor:
        bent = points + bend * warp.at(points, wave)
        tissue = _lumen(bent, branches[0], spacing, depth)
        for branch in branches[1:]:
            tissue = smooth_union(tissue, _lumen(bent, branch, spacing, 0.7 * depth), blend)
        return -tissue

    ends = np.stack([end for branch in branches for end in (branch.a, branch.b)])
    leaf = branches[int(rng.integers(len(branches) // 2, len(branches)))]
    way = np.concatenate([np.linspace(p, q, 12) for p, q in _path_to(leaf, branches)])
    return assemble(
        rng,
        "airway",
        [Component(wall, 0)],
        draw_roughness(rng, radius, 0.02),
        draw_palettes(rng, [("airway", "airway", "mucosa_pink", "mucosa_pale", "mucosa_red")]),
        box_around(ends, 1.1 * radius + 0.003),
        way,
        finest=3e-4,
        way_margin=0.0022,
    )


def _draw_tree(rng: np.random.Generator, radius: float) -> list[Branch]:
    """The branches, parents before children; the first runs along z from the origin."""
    length = radius * rng.uniform(3.5, 8)
    ridge = np.array([0.0, 1.0, 0.0])
    level = [Branch(np.zeros(3), np.array([0, 0, length]), radius, radius * rng.uniform(0.9, 1.05), ridge)]
    branches = list(level)
    for _ in range(int(rng.integers(2, 4))):
        level = [child for parent in level for child in _draw_children(rng, parent)]
        branches += level
    return branches[:11]


def _draw_children(rng: np.random.Generator, parent: Branch) -> list[Branch]:
    """Two, sometimes three branches that leave the parent's end in a plane turned at random."""
    direction = (parent.b - parent.a) / np.linalg.norm(parent.b - parent.a)
    across = np.cross(direction, rng.normal(size=3) + 3 * np.cross(direction, parent.ridge) * rng.choice([0, 1]))
    across /= np.linalg.norm(across)
    angles = [rng.uniform(0.25, 0.75), -rng.uniform(0.25, 0.9)]
    if rng.random() < 0.2:
        angles.append(rng.uniform(-0.1, 0.1))
    children = []
    for angle in angles:
        turned = Rotation.from_rotvec(angle * across).apply(direction)
        radius = parent.radius_b * rng.uniform(0.6, 0.85)
        end = parent.b + turned * radius * rng.uniform(3, 5.5)
        children.append(Branch(parent.b, end, radius, radius * rng.uniform(0.8, 1.0), parent.ridge))
    return children


def _lumen(points: Tensor, branch: Branch, spacing: float, depth: float) -> Tensor:
    """Distance from a branch's lumen [N], negative inside; rings of cartilage make shallow arches around it."""
    axis = column(branch.b - branch.a, points)
    length = float(np.linalg.norm(branch.b - branch.a))
    offset = points - column(branch.a, points)
    along = ((offset * axis).sum(0) / length**2).clamp(0, 1)
    radial = offset - along * axis
    distance = torch.sqrt((radial * radial).sum(0))
    behind = ((radial * column(branch.ridge, points)).sum(0) / distance.clamp_min(1e-4)).clamp(-1, 1)
    arch = torch.sigmoid((0.75 - behind) * 8)
    rings = depth * arch * torch.cos(2 * torch.pi * along * round(length / spacing))
    flat = 0.12 * branch.radius_a * (behind - 0.6).clamp_min(0)
    return distance - (branch.radius_a + (branch.radius_b - branch.radius_a) * along) + rings + flat


def _path_to(leaf: Branch, branches: list[Branch]) -> list[tuple[Array, Array]]:
    """Segments from the root to most of the way into a branch."""
    start, end = branches[0].a, leaf.a + 0.6 * (leaf.b - leaf.a)
    chain = [(leaf.a, end)]
    while not np.allclose(chain[0][0], start):
        parent = next(branch for branch in branches if np.allclose(branch.b, chain[0][0]))
        chain.insert(0, (parent.a, parent.b))
    return chain
