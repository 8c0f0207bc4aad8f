"""Walls that move: breathing, peristalsis and pulse as a slow, smooth warp of the tissue at rest."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from endo_depth_ros.synthetic.field import Field

_WAVES = 3


@dataclass(frozen=True, eq=False)
class Deformation:
    """A sum of travelling sines.

    vectors: wave vectors, rad/m, [W, 3]; shifts: amplitude of each wave, metres, [W, 3]; rates_hz, phases: [W].
    """

    vectors: NDArray[np.float64]
    shifts: NDArray[np.float64]
    rates_hz: NDArray[np.float64]
    phases: NDArray[np.float64]

    @property
    def stretch(self) -> float:
        """Upper bound of how much longer a way becomes at rest."""
        norms = np.linalg.norm(self.vectors, axis=1) * np.linalg.norm(self.shifts, axis=1)
        return 1 + float(norms.sum())

    def at(self, time_s: float, device: str | torch.device = "cpu") -> Warp:
        """The warp at a time."""
        phases = self.phases + 2 * math.pi * self.rates_hz * time_s
        values = (self.vectors, phases[:, None], self.shifts.T)
        vectors, waves, shifts = (torch.tensor(v, dtype=torch.float32, device=device) for v in values)
        return Warp(vectors, waves, shifts, self.stretch)

    def carry(self, point: NDArray[np.float64], time_s: float) -> NDArray[np.float64]:
        """Where tissue that rests at `point` [3] is at a time: what moves along with the walls keeps its distance."""
        phases = self.phases + 2 * math.pi * self.rates_hz * time_s
        moved = point
        for _ in range(8):  # a contraction: the waves' slopes add up to well under one
            moved = point - np.sin(self.vectors @ moved + phases) @ self.shifts
        return moved


@dataclass(frozen=True, eq=False)
class Warp:
    """A deformation at one moment: vectors [W, 3], phases [W, 1], shifts [3, W]."""

    vectors: Tensor
    phases: Tensor
    shifts: Tensor
    stretch: float

    def to_rest(self, points: Tensor) -> Tensor:
        """Where the tissue at points [3, N] lies at rest."""
        waves = torch.addmm(self.phases, self.vectors, points).sin_()
        return torch.addmm(points, self.shifts, waves)


@dataclass(frozen=True, eq=False)
class WarpedField:
    """Walls at rest, and the warp that moves them; a `Field`."""

    rest: Field
    warp: Warp

    @property
    def steepness(self) -> float:
        """See Field."""
        return self.rest.steepness * self.warp.stretch

    @property
    def extent(self) -> float:
        """See Field."""
        return self.rest.extent

    @property
    def finest(self) -> float:
        """See Field."""
        return self.rest.finest

    def clearance(self, points: Tensor) -> Tensor:
        """See Field."""
        return self.rest.clearance(self.warp.to_rest(points))


def draw_deformation(rng: np.random.Generator, size: float) -> Deformation:
    """Movements of a body whose free space is about `size` metres wide, in waves of two to six times that length."""
    directions = rng.standard_normal((2, _WAVES, 3))
    directions /= np.linalg.norm(directions, axis=2, keepdims=True)
    lengths = size * rng.uniform(2.0, 6.0, (_WAVES, 1))
    # Slopes add up to at most 0.3, so that the warp never folds over.
    shifts = np.minimum(size * rng.uniform(0.01, 0.04, (_WAVES, 1)), 0.1 * lengths / (2 * math.pi))
    rates_hz = rng.uniform(0.1, 0.4, _WAVES)
    return Deformation(
        2 * math.pi / lengths * directions[0], shifts * directions[1], rates_hz, rng.uniform(0, 2 * math.pi, _WAVES)
    )
