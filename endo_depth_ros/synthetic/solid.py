"""Things of tapered rods: instruments and debris, as signed distances in a frame of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Rods:
    """Rounded, tapered rods in metres: from a to b, [R, 3], with a radius at either end, [R].

    albedo: linear RGB [R, 3]. gloss: wetness in 0-1, [R]. bands: length of a dark and a light band, [R], 0 for none.
    """

    a: Array
    b: Array
    radius_a: Array
    radius_b: Array
    albedo: Array
    gloss: Array
    bands: Array


@dataclass(frozen=True, eq=False)
class Solid:
    """A thing that moves. shape: its rods at a time; pose: T_base_solid [4, 4] at a time, seconds.

    held: its base is the camera that holds it, else the world. material: of surface_view.
    """

    material: int
    held: bool
    shape: Callable[[float], Rods]
    pose: Callable[[float], Array]

    def at(self, time_s: float, T_world_camera: Array, device: str | torch.device = "cpu") -> PlacedSolid:
        """The thing at a time."""
        T_world_solid = T_world_camera @ self.pose(time_s) if self.held else self.pose(time_s)
        rods = self.shape(time_s)
        a, b = (end @ T_world_solid[:3, :3].T + T_world_solid[:3, 3] for end in (rods.a, rods.b))
        values = (a, b, rods.radius_a, rods.radius_b, rods.albedo, rods.gloss, rods.bands)
        ends = (torch.tensor(v, dtype=torch.float32, device=device) for v in values)
        return PlacedSolid(self.material, *ends)


@dataclass(frozen=True, eq=False)
class PlacedSolid:
    """A thing at one moment, in the world; a `Field`. See Rods."""

    material: int
    a: Tensor
    b: Tensor
    radius_a: Tensor
    radius_b: Tensor
    albedo: Tensor
    gloss: Tensor
    bands: Tensor

    @property
    def steepness(self) -> float:
        """See Field: the taper's slope comes on top of the distance's."""
        return 1.2

    @property
    def extent(self) -> float:
        """See Field."""
        return 1.0

    @property
    def finest(self) -> float:
        """See Field."""
        return float(torch.minimum(self.radius_a, self.radius_b).amin())

    def clearance(self, points: Tensor) -> Tensor:
        """See Field: the distance to the nearest rod."""
        return self._distances(points)[0].amin(0)

    def look(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Albedo [3, N] and gloss [N] at points on the surface [3, N]."""
        distances, along = self._distances(points)
        rod = distances.argmin(0)
        length = (self.b - self.a).norm(dim=1)[rod]
        bands = self.bands[rod]
        turn = torch.where(bands > 0, along.gather(0, rod[None])[0] * length / bands.clamp_min(1e-6), 0)
        shade = torch.where(turn % 1 > 0.75, 0.35, 1.0)
        return self.albedo[rod].T * shade, self.gloss[rod]

    def find_rays(self, origin: Tensor, rays: Tensor) -> Tensor:
        """Indices of the rays [3, N] from origin [3] that may meet the thing; it never leaves one out that does."""
        start, ends = self.a[0], torch.cat([self.a, self.b])
        axis = ends[(ends - start).norm(dim=1).argmax()] - start
        along = ((ends - start) @ axis / axis.square().sum()).clamp(0, 1)
        off = (ends - start - along[:, None] * axis).norm(dim=1)
        around = (off + torch.cat([self.radius_a, self.radius_b])).amax()
        near = _passes(origin, rays, start[None], (start + axis)[None], around[None]).nonzero()[:, 0]
        radius = torch.maximum(self.radius_a, self.radius_b)
        return near[_passes(origin, rays[:, near], self.a, self.b, radius)]

    def _distances(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Distance to each rod, and the share of its length where it is nearest, [R, N] each."""
        axis = self.b - self.a
        x, y, z = (points[i] - self.a[:, i, None] for i in range(3))
        u, v, w = (axis[:, i, None] for i in range(3))
        along = ((x * u + y * v + z * w) / axis.square().sum(1, keepdim=True).clamp_min(1e-12)).clamp(0, 1)
        gap = torch.sqrt((x - along * u) ** 2 + (y - along * v) ** 2 + (z - along * w) ** 2)
        return gap - torch.lerp(self.radius_a[:, None], self.radius_b[:, None], along), along


def _passes(origin: Tensor, rays: Tensor, a: Tensor, b: Tensor, radius: Tensor) -> Tensor:
    """Whether rays [3, N] from origin [3] come as near as radius [R] to a line from a to b, [R, 3], bool [N].

    The nearest points of a ray and a line, in closed form (Ericson, Real-Time Collision Detection, 5.1.9).
    """
    axis, away = b - a, a - origin
    rr, aa, ra = rays.square().sum(0), axis.square().sum(1)[:, None], axis @ rays
    rw, aw = away @ rays, (axis * away).sum(1)[:, None]
    s = ((ra * rw - rr * aw) / (rr * aa - ra * ra).clamp_min(1e-15)).clamp(0, 1)
    t = ((rw + s * ra) / rr).clamp_min(0)
    s = ((t * ra - aw) / aa).clamp(0, 1)
    x, y, z = (away[:, i, None] + s * axis[:, i, None] - t * rays[i] for i in range(3))
    return (x * x + y * y + z * z < (1.1 * radius[:, None]) ** 2).any(0)
