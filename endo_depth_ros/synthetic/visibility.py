"""How much of a source, and of the surroundings, a surface sees: marches through the clearance."""

from __future__ import annotations

import torch
from torch import Tensor

from endo_depth_ros.synthetic.field import Clearance

_STEPS = 8
_LIFT = 3e-4  # start of the march above the surface, metres, so that voxels of a wall don't shade it
_HEIGHTS = (0.3, 1.0)  # of the samples of occlusion, in reaches


def source_visibility(
    clearance: Clearance, points: Tensor, normals: Tensor, source: Tensor, source_radius: float
) -> Tensor:
    """Share of a round source [3] that points [3, N] with unit normals see, 0-1, [N].

    The clearance along the way against the width of the cone that the source fills there gives the penumbra
    (Quilez, soft shadows in ray-marched distance fields).
    """
    start = points + _LIFT * normals
    way = source[:, None] - start
    length = (way * way).sum(0).sqrt()
    shortest = length / (3 * _STEPS)
    travelled = 0.5 * shortest
    visible = torch.ones_like(length)
    for _ in range(_STEPS):
        share = travelled / length
        free = clearance(torch.addcmul(start, share, way))
        cone = source_radius * share + 5e-5
        visible = torch.minimum(visible, torch.where(share < 0.97, 0.5 + 0.5 * free / cone, 1.0))
        travelled = travelled + torch.maximum(0.9 * free, shortest)
    visible = visible.clamp(0, 1)
    return visible * visible * (3 - 2 * visible)


def openness(clearance: Clearance, points: Tensor, normals: Tensor, reach: float) -> Tensor:
    """Share of its surroundings that a surface sees, 0-1, [N]: 1 on a lone wall, near 0 deep in a slit.

    points, normals: [3, N]. reach: how far around walls count, metres.
    """
    total = torch.zeros_like(points[0])
    for height in _HEIGHTS:
        above = clearance(points + height * reach * normals)
        total += (above / (height * reach)).clamp(0, 1)
    return total / len(_HEIGHTS)
