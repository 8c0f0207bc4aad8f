"""Seeded periodic noise in space, sampled by linear interpolation: the texture of tissue."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import fft
from scipy.spatial import cKDTree
from torch import Tensor
from torch.nn.functional import grid_sample

CELLS = 8  # bumps of smooth noise along one period
CHANNELS = 4


class NoiseVolume:
    """Channels of noise over the unit cube, repeated without end."""

    def __init__(self, values: NDArray[np.float32], device: str | torch.device) -> None:
        """values: [C, n, n, n], periodic."""
        wrapped = np.pad(values, ((0, 0), (0, 1), (0, 1), (0, 1)), mode="wrap")
        self._values = torch.from_numpy(np.ascontiguousarray(wrapped, np.float32)).to(device)[None]

    def at(self, points: Tensor) -> Tensor:
        """Noise [C, N] at points [N, 3] in periods."""
        grid = (points - points.floor()) * 2 - 1
        return grid_sample(self._values, grid[None, None, None], align_corners=True, padding_mode="border")[0, :, 0, 0]


def smooth_noise(rng: np.random.Generator, size: int = 64) -> NDArray[np.float32]:
    """Noise [CHANNELS, size, size, size] of mean 0 and standard deviation 1 with CELLS bumps to a period."""
    full, half = np.fft.fftfreq(size) * size, np.fft.rfftfreq(size) * size
    frequency = np.sqrt(full[:, None, None] ** 2 + full[:, None] ** 2 + half**2) / CELLS
    band = np.exp(-(frequency**2)) * frequency / (0.3 + frequency)  # mean 0, little beyond the bumps' size
    spectrum = fft.rfftn(rng.standard_normal((CHANNELS, size, size, size), np.float32), axes=(1, 2, 3))
    noise = fft.irfftn(spectrum * band.astype(np.float32), s=(size, size, size), axes=(1, 2, 3))
    return np.asarray(noise / noise.std(axis=(1, 2, 3), keepdims=True), np.float32)


def cell_borders(rng: np.random.Generator, size: int = 48, cells: int = 5) -> NDArray[np.float32]:
    """Signed distances to borders of Voronoi cells, [CHANNELS, size, size, size], in cell sizes.

    Each channel splits the cells into two kinds at random and is zero on the borders between the kinds, so that the
    borders of two channels together make a net with forks. Channels 0 and 1 share their cells, so do 2 and 3.
    """
    return np.concatenate([_split_cells(rng, size, cells) for _ in range(CHANNELS // 2)])


def _split_cells(rng: np.random.Generator, size: int, cells: int) -> NDArray[np.float32]:
    """Two splits of one set of cells, [2, size, size, size]."""
    corners = np.stack(np.meshgrid(*[np.arange(cells)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    seeds = (corners + rng.uniform(0, 1, corners.shape)) / cells
    shifts = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    tiled = (seeds[None] + shifts[:, None]).reshape(-1, 3)
    near = np.abs(tiled - 0.5).max(axis=1) < 0.5 + 2.5 / cells
    grid = np.stack(np.meshgrid(*[np.arange(size) / size] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    splits = []
    for _ in range(2):
        kind = np.tile(rng.random(len(seeds)) < 0.5, len(shifts))
        distance = [cKDTree(tiled[near & (kind == side)]).query(grid)[0] for side in (False, True)]
        splits.append((distance[0] - distance[1]) * cells)
    return np.stack(splits).astype(np.float32).reshape(2, size, size, size)
