"""What can be cast: a field that says how far the free space reaches; and its surface."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

Clearance = Callable[[Tensor], Tensor]


class Field(Protocol):
    """Walls or things around a free space, in world coordinates, metres.

    Points are float32 [3, N], one row per axis: a ray march asks often, and rows are contiguous.
    """

    @property
    def steepness(self) -> float:
        """Upper bound of the change of clearance per metre of way; a step of clearance / steepness is safe."""

    @property
    def extent(self) -> float:
        """No ray is longer than this, metres."""

    @property
    def finest(self) -> float:
        """Thickness of the finest things worth finding, metres."""

    def clearance(self, points: Tensor) -> Tensor:
        """Positive in free space, zero on the surface, negative beyond it, metres [N]; not always the distance."""


# Corners of a tetrahedron: four samples give the gradient, central differences take six.
_CORNERS = torch.tensor([[1.0, -1, -1, 1], [-1, -1, 1, 1], [-1, 1, -1, 1]])


def surface_normals(clearance: Clearance, points: Tensor, step: float) -> Tensor:
    """Unit normals at surface points [3, N], into the free space, over a neighbourhood of `step` metres."""
    corners = _CORNERS.to(points)
    offsets = (corners * step).unsqueeze(-1)
    values = torch.stack([clearance(points + offsets[:, i]) for i in range(corners.shape[1])])
    return unit(corners @ values)


def unit(vectors: Tensor) -> Tensor:
    """Vectors [3, N] at length 1; a reduction over rows is several times slower than this."""
    x, y, z = vectors
    return vectors * torch.rsqrt(x * x + y * y + z * z)
