"""Curves through space, and where points lie along and across them."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from torch import Tensor

_STEP = 1e-3  # between the stored points of a curve, metres
_COARSE = 5  # every so many of them is a first guess
_CHUNK = 1 << 14


class CentreLine:
    """A smooth curve with a frame that does not twist.

    points: [K, 3], about a millimetre apart; directions: unit tangents [K, 3]; length in metres.
    """

    def __init__(self, knots: NDArray[np.float64]) -> None:
        """knots: [M, 3], M >= 4, points for a spline, in metres."""
        spline = _by_length(knots)
        self.length = float(spline.x[-1])
        s = np.linspace(0, self.length, max(8, round(self.length / _STEP)))
        self._step = s[1]
        self.points = spline(s)
        tangents = spline(s, 1)
        self.directions = tangents / np.linalg.norm(tangents, axis=1, keepdims=True)
        normals = _untwisted_normals(self.directions)
        curvature = np.gradient(self.directions, self._step, axis=0)
        binormals = np.cross(self.directions, normals)
        self._table = torch.from_numpy(
            np.concatenate([self.points, normals, binormals, curvature], axis=1).astype(np.float32)
        )

    def at(self, s: float, u: float = 0.0, v: float = 0.0) -> NDArray[np.float64]:
        """The world point [3] at s along the curve and (u, v) across it."""
        i = int(np.clip(round(s / self._step), 0, len(self.points) - 1))
        row = self._table[i].numpy().astype(np.float64)
        return row[:3] + (s - i * self._step) * self.directions[i] + u * row[3:6] + v * row[6:9]

    def frame(self, s: float) -> NDArray[np.float64]:
        """Columns of [3, 3]: across (u, v) and along the curve at s."""
        i = int(np.clip(round(s / self._step), 0, len(self.points) - 1))
        row = self._table[i].numpy().astype(np.float64)
        return np.stack([row[3:6], row[6:9], self.directions[i]], axis=1)

    def coordinates(self, points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """S along and (u, v) across the curve of points [3, N]; straight on beyond its ends. Right within its bends."""
        parts = [self._coordinates(chunk) for chunk in points.split(_CHUNK, dim=1)]
        s, u, v = (torch.cat(values) for values in zip(*parts, strict=True))
        return s, u, v

    def nearest(self, points: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """S of the curve's point nearest to points [3, N], (u, v) across it there, and the distance [N], metres."""
        parts = [self._nearest(chunk) for chunk in points.split(_CHUNK, dim=1)]
        s, u, v, distance = (torch.cat(values) for values in zip(*parts, strict=True))
        return s, u, v, distance

    def _nearest(self, points: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        table = self._table.to(points.device)
        s = self._guess(table, points)
        for _ in range(2):
            offset, row = self._offset(table, points, s)
            along = (offset * _cross(row[3:6], row[6:9])).sum(0)
            step = along / (1 - (offset * row[9:]).sum(0)).clamp_min(0.5)
            s = (s + step.clamp(-_COARSE * self._step, _COARSE * self._step)).clamp(0, self.length)
        offset, row = self._offset(table, points, s)
        distance = torch.sqrt((offset * offset).sum(0))
        return s, (offset * row[3:6]).sum(0), (offset * row[6:9]).sum(0), distance

    def _guess(self, table: Tensor, points: Tensor) -> Tensor:
        """S of the nearest of the coarse points, [N]."""
        coarse = table[::_COARSE, :3]
        squared = torch.addmm((coarse * coarse).sum(1), points.T.contiguous(), coarse.T, alpha=-2)
        return squared.argmin(1) * (_COARSE * self._step)  # three times as fast as over the first axis

    def _coordinates(self, points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        table = self._table.to(points.device)
        s = self._guess(table, points)
        for _ in range(2):
            offset, row = self._offset(table, points, s)
            along = (offset * _cross(row[3:6], row[6:9])).sum(0)
            s = s.clamp(0, self.length) + along / (1 - (offset * row[9:]).sum(0)).clamp_min(0.3)
        offset, row = self._offset(table, points, s)
        return s, (offset * row[3:6]).sum(0), (offset * row[6:9]).sum(0)

    def _offset(self, table: Tensor, points: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
        """Offset [3, N] of points from the curve's point at s, and the table's row there [12, N]."""
        position = (s / self._step).clamp(0, len(table) - 1)
        i = position.long().clamp_max(len(table) - 2)
        row = torch.lerp(table[i], table[i + 1], (position - i)[:, None]).T.contiguous()
        return points - row[:3], row


def draw_bends(rng: np.random.Generator, length: float, turn_deg: float, wave: float) -> NDArray[np.float64]:
    """Knots [M, 3] of a random curve from the origin, first along z.

    Its heading swings by turn_deg (standard deviation) about each of two axes, over about `wave` metres.
    """
    s = np.arange(0, length + 4e-3, 4e-3)
    heading = np.zeros((2, len(s)))
    for axis in range(2):
        for _ in range(3):
            heading[axis] += np.sin(2 * np.pi * s / (wave * rng.uniform(1.2, 4.0)) + rng.uniform(0, 2 * np.pi))
    heading *= np.radians(turn_deg) * np.sqrt(2 / 3) * rng.uniform(0.4, 1.0, (2, 1))
    heading -= heading[:, :1]
    yaw, pitch = heading
    steps = np.stack([np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)], axis=1) * 4e-3
    return np.concatenate([np.zeros((1, 3)), np.cumsum(steps, axis=0)])


def _by_length(knots: NDArray[np.float64]) -> CubicSpline:
    """A spline through the knots whose parameter is the length of way along it."""
    chord = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(knots, axis=0), axis=1))])
    rough = CubicSpline(chord, knots)
    dense = rough(np.linspace(0, chord[-1], 8 * len(knots)))
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(dense, axis=0), axis=1))])
    return CubicSpline(length, dense)


def _untwisted_normals(directions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unit normals [K, 3] carried along a curve without turning about it."""
    normals = np.empty_like(directions)
    start = np.eye(3)[int(np.argmin(np.abs(directions[0])))]
    normal = start
    for i, direction in enumerate(directions):
        normal = normal - direction * (normal @ direction)
        normal = normals[i] = normal / np.linalg.norm(normal)
    return normals


def _cross(a: Tensor, b: Tensor) -> Tensor:
    return torch.stack([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]])
