"""Values at voxels, trilinear between them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor
from torch.nn.functional import grid_sample


@dataclass(frozen=True, eq=False)
class VoxelGrid:
    """values: float32 [1, C, Z, Y, X]; low: world point of voxel 0; voxel: edge, metres. The rim counts beyond it."""

    values: Tensor
    low: tuple[float, float, float]
    voxel: float

    def at(self, points: Tensor) -> Tensor:
        """Values [C, N] at world points [3, N]."""
        scale, shift = self._to_unit_cube
        where = torch.addcmul(shift, points, scale).T[None, None, None]
        return grid_sample(self.values, where, padding_mode="border", align_corners=True)[0, :, 0, 0]

    @cached_property
    def _to_unit_cube(self) -> tuple[Tensor, Tensor]:
        """Scale and shift [3, 1] from world points to -1..1."""
        sizes = self.values.new_tensor(self.values.shape[:1:-1])[:, None]
        scale = 2 / (self.voxel * (sizes - 1))
        return scale, -1 - scale * self.values.new_tensor(self.low)[:, None]
