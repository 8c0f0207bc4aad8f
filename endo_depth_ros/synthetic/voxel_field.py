"""An anatomy's walls baked into voxels: the same surface, asked in a fraction of the time, and true distances."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from scipy.ndimage import distance_transform_edt
from torch import Tensor
from torch.nn.functional import interpolate, max_pool3d, pad

from endo_depth_ros.synthetic.anatomy import Anatomy
from endo_depth_ros.synthetic.voxel_grid import VoxelGrid

_COARSEST = 4  # voxels between the first samples
_BAND = 1.0  # voxels on either side of the wall that are exact even where it is steepest
_CHUNK = 1 << 17  # points per evaluation, so that what it computes with stays in the cache
_FIRST_ORDER = 2.0  # voxels from the wall within which the first order is believed
_EXCESS, _DEFECT = 0.5, 1.5  # voxels beyond which it must agree with the distance between half as many voxels


@dataclass(frozen=True, eq=False)
class VoxelField:
    """Distance to the wall, and what the wall is made of, at voxels; a `Field`.

    distance: metres, negative in tissue: to first order near the wall, within a few voxels elsewhere.
    parts: share of each part of the anatomy at voxels near the wall; None where there is one part.
    """

    distance: VoxelGrid
    parts: VoxelGrid | None
    extent: float
    finest: float
    steepness: float = 1.1

    def clearance(self, points: Tensor) -> Tensor:
        """See Field."""
        return self.distance.at(points)[0]

    def part(self, points: Tensor) -> Tensor:
        """Index of the part at points [3, N] near the wall, int64 [N]."""
        if self.parts is None:
            return torch.zeros(points.shape[1], dtype=torch.int64, device=points.device)
        return self.parts.at(points).max(0).indices


def bake(anatomy: Anatomy, device: str | torch.device = "cpu") -> VoxelField:
    """The field of an anatomy's walls.

    The clearance is asked at every fourth voxel, then ever finer in those cells that the wall may cross. Divided by its
    slope it is the distance to first order; where that is wrong, beyond a bend of the wall, it is kept within what
    a Euclidean distance transform of the voxels allows.
    """
    clearance = _sample(anatomy, device)
    slope = torch.stack(torch.gradient(clearance, spacing=anatomy.voxel)).square_().sum(0).sqrt_()
    first_order = clearance.abs() / slope.clamp_min_(0.3)
    euclidean = _distance_to_walls(clearance > 0)
    most = (euclidean + _EXCESS).clamp_min_(_FIRST_ORDER) * anatomy.voxel
    distance = torch.minimum(torch.maximum(first_order, (euclidean - _DEFECT) * anatomy.voxel), most)
    distance = torch.copysign(distance, clearance)
    parts = _bake_parts(anatomy, distance)
    box = (anatomy.low, anatomy.voxel)
    extent = math.dist(anatomy.low, anatomy.high)
    made_of = None if parts is None else VoxelGrid(parts[None], *box)
    return VoxelField(VoxelGrid(distance[None, None], *box), made_of, extent, 0.5 * anatomy.voxel)


def _bake_parts(anatomy: Anatomy, distance: Tensor) -> Tensor | None:
    """1 where a voxel is of the part, else 0, [parts, Z, Y, X], near the wall; None for an anatomy of one part."""
    if len(anatomy.palettes) == 1:
        return None
    near = (distance.abs() < 2 * anatomy.voxel).nonzero().T
    part = _evaluate(anatomy, anatomy.part, near)
    parts = torch.zeros((len(anatomy.palettes), *distance.shape), device=distance.device)
    z, y, x = near
    parts[part, z, y, x] = 1
    return parts


def _sample(anatomy: Anatomy, device: str | torch.device) -> Tensor:
    """Clearance at voxels [Z, Y, X], even numbers of them: exact where the wall may be, interpolated elsewhere."""
    stride = _COARSEST
    counts = [
        math.ceil((high - low) / (stride * anatomy.voxel)) for low, high in zip(anatomy.low, anatomy.high, strict=True)
    ]
    lattice = torch.stack(torch.meshgrid(*[torch.arange(n + 1, device=device) for n in counts[::-1]], indexing="ij"))
    values = _evaluate(anatomy, anatomy.clearance, stride * lattice).view(lattice.shape[1:])
    while stride > 1:
        reach = (stride / 2 * math.sqrt(3) + _BAND) * anatomy.voxel * anatomy.steepness
        crossed = -max_pool3d(-values.abs()[None, None], 2, stride=1) < reach
        stride //= 2
        size = [2 * n - 1 for n in values.shape]
        values = interpolate(values[None, None], size=size, mode="trilinear", align_corners=True)[0, 0].contiguous()
        nodes = max_pool3d(interpolate(crossed.float(), scale_factor=2.0), 2, stride=1, padding=1)[0, 0]
        z, y, x = near = nodes.nonzero().T
        values[z, y, x] = _evaluate(anatomy, anatomy.clearance, stride * near)
    return values[:-1, :-1, :-1].contiguous()


def _evaluate(anatomy: Anatomy, ask: Callable[[Tensor], Tensor], voxels: Tensor) -> Tensor:
    """What `ask` answers, [N], at voxels (z, y, x), int64 [3, ...]."""
    low = torch.tensor(anatomy.low, device=voxels.device)[:, None]
    chunks = voxels.reshape(3, -1).flip(0).split(_CHUNK, dim=1)
    return torch.cat([ask(low + chunk * anatomy.voxel) for chunk in chunks])


def _distance_to_walls(free: Tensor) -> Tensor:
    """Distance in voxels from each voxel of [Z, Y, X] (even sizes) to the nearest wall, right to a voxel or two."""
    packed = free.to(torch.float32)[None, None]
    most, least = max_pool3d(packed, 3, stride=2, padding=1), -max_pool3d(-packed, 3, stride=2, padding=1)
    wall = (most > least)[0, 0]
    if not wall.any():
        return torch.full(free.shape, float(max(free.shape)), device=free.device)
    halved = torch.from_numpy(distance_transform_edt(~wall.cpu().numpy())).to(free.device, torch.float32)[None, None]
    halved = pad(halved, (0, 1, 0, 1, 0, 1), mode="replicate")
    size = [n + 1 for n in free.shape]
    return 2 * interpolate(halved, size=size, mode="trilinear", align_corners=True)[0, 0, :-1, :-1, :-1]
