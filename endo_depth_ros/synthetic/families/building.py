"""What families share when they build an anatomy: components, roughness, palettes, voxels, a free way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.spatial import cKDTree
from torch import Tensor

from endo_depth_ros.synthetic.anatomy import Anatomy
from endo_depth_ros.synthetic.families.shapes import Field, Slab, smooth_union
from endo_depth_ros.synthetic.families.volume_noise import VolumeNoise
from endo_depth_ros.synthetic.free_space import is_clear, keep_clear

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


def join(components: Sequence[Component], roughness: Roughness) -> Field:
    """Clearance of components together."""

    def clearance(points: Tensor) -> Tensor:
        result = components[0].field(points)
        for component in components[1:]:
            result = smooth_union(result, component.field(points), component.blend)
        return result + roughness.at(points)

    return clearance


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
    sights: NDArray[np.float64] | None = None,
) -> Anatomy:
    """The anatomy of components, the first of which is the cavity's wall; the way is moved to where there is room."""
    low, high = (np.asarray(corner, np.float64) for corner in box)
    joined, bounds = (
        join(components, roughness),
        Slab((low + high) / 2, tuple((high - low) / 2 - WALL / 2), np.eye(3), WALL),
    )

    def clearance(points: Tensor) -> Tensor:
        # Bulges drawn too large end at the box.
        return smooth_union(joined(points), -bounds(points), WALL / 2)

    def part(points: Tensor) -> Tensor:
        distances = torch.stack([component.field(points) for component in components])
        return torch.tensor([component.part for component in components], device=points.device)[distances.argmin(0)]

    voxel = max(finest, float((np.prod(high - low) / _VOXELS) ** (1 / 3)))
    steepness = measure_steepness(clearance, low, high, rng)
    return Anatomy(
        family=family,
        clearance=clearance,
        part=part,
        palettes=palettes,
        steepness=steepness,
        low=(float(low[0]), float(low[1]), float(low[2])),
        high=(float(high[0]), float(high[1]), float(high[2])),
        way=clear_way(clearance, way, way_margin),
        voxel=voxel,
        sights=np.empty((0, 3)) if sights is None else sights,
    )


def clear_way(clearance: Field, way: NDArray[np.float64], margin: float) -> NDArray[np.float64]:
    """The way [64, 3] moved to where there is room, as far as it stays in one free space."""
    moved = keep_clear(clearance, resample(way, 96), np.full(96, margin), rounds=80)
    smooth = gaussian_filter1d(moved, 2.0, axis=0, mode="nearest")
    dense = resample(keep_clear(clearance, smooth, np.full(96, margin), rounds=80), 384)
    free = is_clear(clearance, dense, np.full(384, 0.4 * margin))
    breaks = np.concatenate([[-1], np.flatnonzero(~free), [384]])
    longest = int(np.argmax(np.diff(breaks)))
    return resample(dense[breaks[longest] + 1 : breaks[longest + 1]], 64)


def find_way(
    clearance: Field,
    box: tuple[NDArray[np.float64], NDArray[np.float64]],
    start: NDArray[np.float64],
    margin: float,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """A way [M, 3] from near `start` to what lies farthest from there as one goes, `margin` metres off the walls.

    Free points are drawn, near ones joined where the straight line is free, and shortest paths taken.
    """
    drawn = rng.uniform(*box, (1500, 3))
    nodes = drawn[is_clear(clearance, drawn, np.full(len(drawn), margin))][:220]
    tree = cKDTree(nodes)
    near = tree.query(nodes, k=min(9, len(nodes)))[1]
    pairs = np.stack([np.repeat(np.arange(len(nodes)), near.shape[1]), near.ravel()], axis=1)
    steps = np.linspace(0, 1, 24)[None, :, None]
    lines = nodes[pairs[:, 0], None] * (1 - steps) + nodes[pairs[:, 1], None] * steps
    values = clearance(torch.tensor(lines.reshape(-1, 3).T, dtype=torch.float32)).numpy().reshape(len(pairs), -1)
    joined = pairs[(values > 0.4 * margin).all(axis=1)]
    lengths = np.linalg.norm(nodes[joined[:, 0]] - nodes[joined[:, 1]], axis=1) + 1e-6
    graph = csr_matrix((lengths, (joined[:, 0], joined[:, 1])), shape=(len(nodes), len(nodes)))
    group = connected_components(graph, directed=False)[1]
    largest = np.flatnonzero(group == np.bincount(group).argmax())
    first = int(largest[np.argmin(np.linalg.norm(nodes[largest] - start, axis=1))])
    distances, previous = dijkstra(graph, directed=False, indices=first, return_predecessors=True)
    last = int(np.argmax(np.where(np.isfinite(distances), distances, -1)))
    path = [last]
    while path[-1] != first:
        path.append(int(previous[path[-1]]))
    return nodes[path[::-1]]


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
