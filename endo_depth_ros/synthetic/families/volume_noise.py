"""Smooth noise in space, to deform and roughen what would be too regular."""

from __future__ import annotations

import numpy as np
import torch
from scipy import fft
from torch import Tensor
from torch.nn.functional import grid_sample

_SIZE = 64
_CELL = 10.7  # voxels of the table per cell of noise: the period is six cells


class VolumeNoise:
    """Independent channels of periodic noise, each of mean 0 and standard deviation 1, from one table."""

    def __init__(self, rng: np.random.Generator, channels: int = 3) -> None:
        axis, half = np.fft.fftfreq(_SIZE), np.fft.rfftfreq(_SIZE)
        squared = axis[:, None, None] ** 2 + axis[None, :, None] ** 2 + half[None, None, :] ** 2
        white = rng.standard_normal((channels, _SIZE, _SIZE, _SIZE), np.float32)
        spectrum = fft.rfftn(white, axes=(1, 2, 3)) * np.exp(-((2 * _CELL) ** 2) * squared).astype(np.float32)
        spectrum[:, 0, 0, 0] = 0
        noise = fft.irfftn(spectrum, s=(_SIZE,) * 3, axes=(1, 2, 3))
        noise /= noise.std(axis=(1, 2, 3), keepdims=True)
        wrapped = np.pad(noise, ((0, 0), (0, 1), (0, 1), (0, 1)), mode="wrap")
        self._table = torch.from_numpy(np.ascontiguousarray(wrapped, np.float32))[None]

    def at(self, points: Tensor, cell: float) -> Tensor:
        """Values [C, N] at points [3, N] of noise that varies over `cell` metres."""
        where = torch.remainder(points * (_CELL / _SIZE / cell), 1.0) * 2 - 1
        table = self._table.to(points.device)
        return grid_sample(table, where.T[None, None, None], align_corners=True)[0, :, 0, 0]
