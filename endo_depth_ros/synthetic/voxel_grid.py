"""Values at voxels, trilinear between them."""

from __future__ import annotations

from dataclasses import dataclass

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
        sizes = torch.tensor(self.values.shape[:1:-1], device=points.device)[:, None]
        scale = 2 / (self.voxel * (sizes - 1))
        shift = -1 - scale * points.new_tensor(self.low)[:, None]
        where = torch.addcmul(shift, points, scale).T[None, None, None]
        return grid_sample(self.values, where, padding_mode="border", align_corners=True)[0, :, 0, 0]
