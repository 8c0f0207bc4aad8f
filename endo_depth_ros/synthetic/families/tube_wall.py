"""A closed tube along a curve: its radius as a map over length and angle, its ends as height maps."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import grid_sample

from endo_depth_ros.synthetic.families.building import WALL
from endo_depth_ros.synthetic.families.centre_line import CentreLine
from endo_depth_ros.synthetic.families.shapes import smooth_union
from endo_depth_ros.synthetic.noise import noise_map

_ROW = 4e-4  # metres
_COLUMNS = 320
_END_PIXELS = 160


@dataclass(frozen=True, eq=False)
class SurfaceGrid:
    """Where the rows s [S] (metres) and columns phi [P] (radians) of a radius map lie; radius: of the tube, metres."""

    s: NDArray[np.float64]
    phi: NDArray[np.float64]
    radius: float

    def noise(self, rng: np.random.Generator, cell: float) -> NDArray[np.float32]:
        """Noise [S, P] that varies over `cell` metres of the wall."""
        shape = len(self.s), len(self.phi)
        return noise_map(rng, shape, (cell / _ROW, cell * _COLUMNS / (2 * math.pi * self.radius)))


def surface_grid(length: float, radius: float) -> SurfaceGrid:
    """The grid for a tube of this length and about this radius, metres."""
    s = np.arange(-radius, length + radius, _ROW)
    return SurfaceGrid(s, np.linspace(-np.pi, np.pi, _COLUMNS, endpoint=False), radius)


@dataclass(frozen=True, eq=False)
class End:
    """A wall across a tube: height [P, P] over (v, u) up to half_width, metres, outwards from the tube's end."""

    height: NDArray[np.float64]
    half_width: float


def draw_bowl(rng: np.random.Generator, radius: float) -> End:
    """A shallow, uneven bowl."""
    half = 1.6 * radius
    u, v = _end_axes(half)
    bulges = noise_map(rng, u.shape, (30.0, 30.0))
    height = -rng.uniform(0.1, 0.5) * (u**2 + v**2) / radius + 0.06 * radius * rng.uniform(0, 1) * bulges
    return End(height, half)


def draw_lobes(rng: np.random.Generator, radius: float) -> End:
    """Convex lobes that stick out into the tube, with creases between them, as at the end of a caecum."""
    half = 1.6 * radius
    u, v = _end_axes(half)
    count, turn = int(rng.integers(2, 7)), rng.uniform(0, 2 * np.pi)
    lobes = np.full(u.shape, -rng.uniform(0.3, 0.6) * radius)
    for lobe in range(count):
        angle = turn + (lobe + rng.normal(0, 0.2)) * 2 * np.pi / count
        distance = radius * rng.uniform(0.2, 0.7)
        squared = (u - distance * np.cos(angle)) ** 2 + (v - distance * np.sin(angle)) ** 2
        lobes = np.maximum(lobes, radius * rng.uniform(0.05, 0.45) - squared / (radius * rng.uniform(0.8, 2.0)))
    bumps = noise_map(rng, u.shape, (20.0, 20.0))
    bowl = rng.uniform(0.0, 0.4) * (u**2 + v**2) / radius
    return End(-lobes - bowl + 0.015 * radius * rng.uniform(0, 1.5) * bumps, half)


class TubeWall:
    """The wall of a tube and its two ends as one field."""

    def __init__(
        self, line: CentreLine, grid: SurfaceGrid, radius: NDArray[np.floating], ends: tuple[End, End], blend: float
    ) -> None:
        """radius: [S, P], distance of the wall from the line, metres. blend: rounding between wall and ends."""
        self.line, self.grid, self.radius = line, grid, radius
        ring = np.concatenate([radius, radius[:, :1]], axis=1)
        self._ring = torch.from_numpy(ring.astype(np.float32))[None, None]
        self._ends = tuple(
            (torch.from_numpy(end.height.astype(np.float32))[None, None], end.half_width) for end in ends
        )
        self._blend = blend

    def clearance(self, points: Tensor) -> Tensor:
        """Positive inside the tube, metres [N]; points [3, N]."""
        s, u, v = self.line.coordinates(points)
        wall = self._radius_at(s, u, v) - torch.sqrt(u * u + v * v)
        (near, near_width), (far, far_width) = self._ends
        start = s + _look_up(near.to(points.device), u / near_width, v / near_width)
        finish = self.line.length - s + _look_up(far.to(points.device), u / far_width, v / far_width)
        return smooth_union(wall, smooth_union(start, finish, self._blend), self._blend)

    def wall_point(self, s: float, phi: float, rise: float) -> NDArray[np.float64]:
        """The world point [3] that lies `rise` metres over the wall at s and phi."""
        i = int(np.clip(np.searchsorted(self.grid.s, s), 0, len(self.grid.s) - 1))
        j = int((phi + np.pi) / (2 * np.pi) * _COLUMNS) % _COLUMNS
        rho = float(self.radius[i, j]) - rise
        return self.line.at(s, rho * math.cos(phi), rho * math.sin(phi))

    def inward(self, s: float, phi: float) -> NDArray[np.float64]:
        """Unit vector [3] from the wall to the line."""
        frame = self.line.frame(s)
        return -(math.cos(phi) * frame[:, 0] + math.sin(phi) * frame[:, 1])

    def box(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Corners of the box that holds the tube and some wall."""
        reach = self.radius.max(axis=1)
        lows, highs = [], []
        for s in np.linspace(0, self.line.length, 40):
            frame, centre = self.line.frame(s), self.line.at(s)
            rho = float(reach[int(np.clip(np.searchsorted(self.grid.s, s), 0, len(reach) - 1))])
            spread = rho * np.sqrt(frame[:, 0] ** 2 + frame[:, 1] ** 2)
            lows.append(centre - spread)
            highs.append(centre + spread)
        for end, outward, s in ((self._ends[0], -1.0, 0.0), (self._ends[1], 1.0, self.line.length)):
            bulge = self.line.at(s) + outward * max(0.0, float(end[0].max())) * self.line.frame(s)[:, 2]
            lows.append(bulge)
            highs.append(bulge)
        return np.min(lows, axis=0) - WALL, np.max(highs, axis=0) + WALL

    def way(self, margin: float) -> NDArray[np.float64]:
        """The curve from `margin` metres after its start to `margin` before its end, [64, 3]."""
        return np.array([self.line.at(s) for s in np.linspace(margin, self.line.length - margin, 64)])

    def _radius_at(self, s: Tensor, u: Tensor, v: Tensor) -> Tensor:
        first, last = float(self.grid.s[0]), float(self.grid.s[-1])
        row = (s - first) * (2 / (last - first)) - 1
        return _look_up(self._ring.to(s.device), torch.atan2(v, u) / math.pi, row)


def _end_axes(half: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    axis = np.linspace(-half, half, _END_PIXELS)
    v, u = np.meshgrid(axis, axis, indexing="ij")
    return u, v


def _look_up(grid: Tensor, column: Tensor, row: Tensor) -> Tensor:
    """Bilinear values [N] of a map [1, 1, H, W] at positions in -1..1."""
    where = torch.stack([column, row], dim=-1)[None, None]
    return grid_sample(grid, where, padding_mode="border", align_corners=True)[0, 0, 0]
