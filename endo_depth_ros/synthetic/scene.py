"""What a scene must answer to be rendered: where the free space ends, and what colour the tissue has there."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor


class Scene(Protocol):
    """Tissue around a free space, in world coordinates, metres.

    Points are float32 [3, N], one row per axis: a ray march asks often, and rows are contiguous.
    steepness: upper bound of the change of clearance per metre of way; a step of clearance / steepness is safe.
    extent: no ray is longer than this, metres.
    """

    steepness: float
    extent: float

    def clearance(self, points: Tensor) -> Tensor:
        """Positive in free space, zero on the tissue, negative inside it, metres [N]; not always the distance."""

    def albedo(self, points: Tensor) -> Tensor:
        """Diffuse reflectance of the surface at the points, linear RGB in 0-1, [3, N]."""


NORMAL_STEP = 2.5e-4
# Corners of a tetrahedron: four samples give the gradient, central differences take six.
_CORNERS = torch.tensor([[1.0, -1, -1, 1], [-1, -1, 1, 1], [-1, 1, -1, 1]])


def surface_normals(scene: Scene, points: Tensor) -> Tensor:
    """Unit normals at surface points [3, N], into the free space, over a neighbourhood of NORMAL_STEP metres."""
    corners = _CORNERS.to(points)
    offsets = (corners * NORMAL_STEP).unsqueeze(-1)
    values = torch.stack([scene.clearance(points + offsets[:, i]) for i in range(corners.shape[1])])
    return unit(corners @ values)


def smooth_minimum(a: Tensor, b: Tensor, blend: float) -> Tensor:
    """Minimum whose edge is rounded over `blend` (Quilez's polynomial form); at most blend/4 below the minimum."""
    h = (0.5 + 0.5 * (b - a) / blend).clamp(0, 1)
    return torch.lerp(b, a, h) - blend * h * (1 - h)


def unit(vectors: Tensor) -> Tensor:
    """Vectors [3, N] at length 1; a reduction over rows is several times slower than this."""
    x, y, z = vectors
    return vectors * torch.rsqrt(x * x + y * y + z * z)
