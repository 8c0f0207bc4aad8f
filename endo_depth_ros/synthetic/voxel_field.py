"""An anatomy's walls baked into voxels: the same surface, asked in a fraction of the time, and true distances."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from scipy.ndimage import distance_transform_edt
from torch import Tensor
from torch.nn.functional import grid_sample, interpolate, max_pool3d

from endo_depth_ros.synthetic.anatomy import Anatomy
from endo_depth_ros.synthetic.field import Clearance

BLOCK = 4  # voxels along the edge of a block that is baked exactly or not at all
_BAND = 2.0  # voxels on either side of the wall that are always exact
_CHUNK = 1 << 17  # points per evaluation, so that what it computes with stays in the cache
_BLUR = 2.5  # voxels by which the distance between half as many voxels may be wrong


@dataclass(frozen=True, eq=False)
class VoxelField:
    """Distance to the wall at voxels, trilinear between them; a `Field`.

    distance: float32 [1, 1, Z, Y, X], metres, negative in tissue: to first order near the wall, within a few voxels
    elsewhere. low: world point of voxel 0, [3]. Beyond the box the nearest voxel counts.
    """

    distance: Tensor
    low: tuple[float, float, float]
    voxel: float
    extent: float
    steepness: float = 1.1

    def clearance(self, points: Tensor) -> Tensor:
        """See Field."""
        scale = [2 / (self.voxel * (n - 1)) for n in reversed(self.distance.shape[2:])]
        shift = [-low * s - 1 for low, s in zip(self.low, scale, strict=True)]
        where = torch.stack([torch.add(p.new_tensor(b), p, alpha=a) for p, a, b in zip(points, scale, shift)], dim=-1)
        return grid_sample(self.distance, where[None, None, None], padding_mode="border", align_corners=True).view(-1)


def bake(anatomy: Anatomy, device: str | torch.device = "cpu") -> VoxelField:
    """The field of an anatomy's walls.

    The clearance is asked at every fourth voxel, then at each voxel of those blocks that the wall may cross. Divided by
    its slope it is the distance to first order; where that is wrong, beyond a bend of the wall, it is kept within what
    a Euclidean distance transform of the voxels allows.
    """
    blocks = [math.ceil((high - low) / (BLOCK * anatomy.voxel)) for low, high in zip(anatomy.low, anatomy.high)]
    clearance = _sample(anatomy, blocks, device)
    slope = torch.stack(torch.gradient(clearance, spacing=anatomy.voxel)).square_().sum(0).sqrt_()
    first_order = clearance.abs() / slope.clamp_min_(0.3)
    euclidean = _distance_to_walls(clearance > 0) * anatomy.voxel
    blur = _BLUR * anatomy.voxel
    distance = torch.minimum(torch.maximum(first_order, euclidean - blur), euclidean + blur)
    distance = torch.copysign(distance, clearance)
    extent = math.dist(anatomy.low, anatomy.high)
    return VoxelField(distance[None, None], anatomy.low, anatomy.voxel, extent)


def _sample(anatomy: Anatomy, blocks: list[int], device: str | torch.device) -> Tensor:
    """Clearance at the voxels [Z, Y, X] of `blocks` (x, y, z) blocks, exact in those that the wall may cross."""
    nodes = [torch.arange(count + 1, device=device) * BLOCK for count in reversed(blocks)]
    coarse = _evaluate(anatomy, torch.stack(torch.meshgrid(*nodes, indexing="ij"))).reshape([len(n) for n in nodes])
    size = [BLOCK * count + 1 for count in reversed(blocks)]
    clearance = interpolate(coarse[None, None], size=size, mode="trilinear", align_corners=True)[0, 0]
    clearance = clearance[:-1, :-1, :-1].contiguous()
    reach = (BLOCK / 2 * math.sqrt(3) + _BAND) * anatomy.voxel * anatomy.steepness
    nearest = -max_pool3d(-coarse.abs()[None, None], 2, stride=1)[0, 0]
    crossed = (nearest < reach).nonzero().T[:, :, None]  # [3, B, 1]
    inside = torch.stack(torch.meshgrid(*[torch.arange(BLOCK, device=device)] * 3, indexing="ij")).reshape(3, 1, -1)
    z, y, x = fine = (crossed * BLOCK + inside).reshape(3, -1)
    clearance[z, y, x] = _evaluate(anatomy, fine)
    return clearance


def _evaluate(anatomy: Anatomy, voxels: Tensor) -> Tensor:
    """Clearance [N] at voxels (z, y, x), int64 [3, ...]."""
    low = torch.tensor(anatomy.low, device=voxels.device)[:, None]
    chunks = voxels.reshape(3, -1).flip(0).split(_CHUNK, dim=1)
    return torch.cat([anatomy.clearance(low + chunk * anatomy.voxel) for chunk in chunks])


def _distance_to_walls(free: Tensor) -> Tensor:
    """Distance in voxels from each voxel of [Z, Y, X] (even sizes) to the nearest wall, right to _BLUR voxels."""
    packed = free.to(torch.float32)[None, None]
    most, least = max_pool3d(packed, 3, stride=2, padding=1), -max_pool3d(-packed, 3, stride=2, padding=1)
    wall = (most > least)[0, 0]
    if not wall.any():
        return torch.full(free.shape, float(max(free.shape)), device=free.device)
    halved = torch.from_numpy(distance_transform_edt(~wall.cpu().numpy())).to(free.device, torch.float32)
    return 2 * interpolate(halved[None, None], scale_factor=2.0, mode="trilinear", align_corners=False)[0, 0]
