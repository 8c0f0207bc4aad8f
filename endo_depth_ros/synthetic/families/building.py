"""What families share when they build an anatomy: components, roughness, palettes, voxels, a free way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from endo_depth_ros.synthetic.anatomy import Anatomy
from endo_depth_ros.synthetic.families.shapes import Field, smooth_union
from endo_depth_ros.synthetic.families.volume_noise import VolumeNoise
from endo_depth_ros.synthetic.free_space import keep_clear

PHANTOMS = ("phantom_beige", "phantom_grey", "phantom_pink")
MUCOSA = ("mucosa_pink", "mucosa_pale", "mucosa_red")
WALL = 0.004  # tissue kept around the free space, metres
_VOXELS = 1.8e6
_PHANTOM_CHANCE = 0.12


@dataclass(frozen=True, eq=False)
class Component:
    """Tissue of one kind: its field (positive in free space), palette's index, and blend with those before it."""

    field: Field
    part: int
    blend: float = 0.002


@dataclass(frozen=True, eq=False)
class Roughness:
    """Displacement of the walls: amplitudes in metres (standard deviation) over cells in metres."""

    noise: VolumeNoise
    cells: tuple[float, ...]
    amplitudes: tuple[float, ...]

    def at(self, points: Tensor) -> Tensor:
        """Displacement [N], metres."""
        result = torch.zeros_like(points[0])
        for cell, amplitude in zip(self.cells, self.amplitudes, strict=True):
            result += amplitude * self.noise.at(points, cell)[0]
        return result


def draw_roughness(rng: np.random.Generator, size: float, coarse: float = 0.05) -> Roughness:
    """Roughness of walls of a cavity whose radius is `size` metres: from a phantom's to lumpy tissue's.

    coarse: typical amplitude of the largest bulges over `size`.
    """
    bumpy = rng.choice([0.05, 0.4, 1.0, 1.8], p=[0.2, 0.3, 0.35, 0.15])
    amplitudes = (
        size * coarse * rng.uniform(0.3, 1.2),
        size * coarse * rng.uniform(0.05, 0.3) * bumpy,
        min(2.5e-4, 0.012 * size) * rng.uniform(0.2, 1.0) * bumpy,
    )
    return Roughness(VolumeNoise(rng, 1), (1.2 * size, 0.4 * size, max(0.0025, 0.12 * size)), amplitudes)


def draw_palettes(rng: np.random.Generator, choices: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """One palette for each part, out of those plausible for it; sometimes one phantom's for all."""
    if rng.random() < _PHANTOM_CHANCE:
        return (str(rng.choice(PHANTOMS)),) * len(choices)
    return tuple(str(rng.choice(choice)) for choice in choices)


def assemble(
    rng: np.random.Generator,
    family: str,
    components: Sequence[Component],
    roughness: Roughness,
    palettes: tuple[str, ...],
    box: tuple[NDArray[np.float64], NDArray[np.float64]],
    way: NDArray[np.float64],
    finest: float = 4e-4,
    way_margin: float = 0.003,
) -> Anatomy:
    """The anatomy of components, the first of which is the cavity's wall; the way is moved to where there is room."""
    low, high = (np.asarray(corner, np.float64) for corner in box)

    def clearance(points: Tensor) -> Tensor:
        rough = roughness.at(points)
        result = components[0].field(points)
        for component in components[1:]:
            result = smooth_union(result, component.field(points), component.blend)
        return result + rough

    def part(points: Tensor) -> Tensor:
        distances = torch.stack([component.field(points) for component in components])
        return torch.tensor([component.part for component in components], device=points.device)[distances.argmin(0)]

    voxel = max(finest, float((np.prod(high - low) / _VOXELS) ** (1 / 3)))
    corners = tuple(float(v) for v in low), tuple(float(v) for v in high)
    steepness = measure_steepness(clearance, low, high, rng)
    free_way = keep_clear(clearance, resample(way, 64), np.full(64, way_margin), rounds=80)
    return Anatomy(family, clearance, part, palettes, steepness, corners[0], corners[1], free_way, voxel)  # type: ignore[arg-type]


def measure_steepness(
    clearance: Field, low: NDArray[np.float64], high: NDArray[np.float64], rng: np.random.Generator
) -> float:
    """How much clearance changes per metre within 4 mm of the wall, with a reserve; creases of measure zero aside."""
    points = torch.tensor(rng.uniform(low, high, (60000, 3)).T, dtype=torch.float32)
    values = clearance(points)
    near = values.abs() < 0.004
    points, values = points[:, near], values[near]
    step = 2e-4
    shifted = [clearance(points + step * torch.eye(3)[:, axis : axis + 1]) for axis in range(3)]
    slope = torch.stack([(value - values) / step for value in shifted]).norm(dim=0)
    return 1.2 * max(1.0, float(slope.quantile(0.999)))


def resample(polyline: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """`count` points [count, 3] spread evenly over a polyline [M, 3]."""
    chord = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(polyline, axis=0), axis=1))])
    at = np.linspace(0, chord[-1], count)
    return np.stack([np.interp(at, chord, polyline[:, axis]) for axis in range(3)], axis=1)


def box_around(points: NDArray[np.float64], margin: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Corners of the box around points [M, 3] and `margin` metres more."""
    return points.min(0) - margin, points.max(0) + margin
