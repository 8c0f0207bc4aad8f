"""Views whose light can be worked out by hand: a wall across the optical axis."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from endo_depth_ros.synthetic.light_settings import LightSettings
from endo_depth_ros.synthetic.surface_view import TISSUE, SurfaceView

WIDTH, HEIGHT, FOCAL_PX = 66, 48, 40.0
LENS_LIGHT = LightSettings(
    positions=((0.0, 0.0, 0.0),),
    powers=(1.0,),
    source_radius=0.0,
    beam_exponent=0.0,
    ambient=0.0,
    bounce=0.0,
    wrap=0.0,
    flatness=0.0,
    scatter=0.0,
    highlight=0.0,
    sheen=0.0,
)


def view_wall(distance: float, albedo: float = 0.5, gloss: float = 1.0) -> SurfaceView:
    """A wall at z = distance, seen by a pinhole at the origin of the world."""
    y, x = torch.meshgrid(torch.arange(float(HEIGHT)), torch.arange(float(WIDTH)), indexing="ij")
    rays = torch.stack([(x - (WIDTH - 1) / 2) / FOCAL_PX, (y - (HEIGHT - 1) / 2) / FOCAL_PX, torch.ones_like(x)])
    normals = torch.zeros_like(rays)
    normals[2] = -1
    return SurfaceView(
        points=distance * rays,
        normals=normals,
        world_points=distance * rays,
        world_normals=normals,
        seen=torch.ones(HEIGHT, WIDTH, dtype=torch.bool),
        albedo=torch.full_like(rays, albedo),
        gloss=torch.full((HEIGHT, WIDTH), gloss),
        material=torch.full((HEIGHT, WIDTH), TISSUE),
        R_world_camera=torch.eye(3),
        origin=torch.zeros(3),
    )


def replace_part(view: SurfaceView, **parts: Tensor) -> SurfaceView:
    """The view with some of its pictures replaced."""
    return replace(view, **parts)


class Wall:
    """Clearance before a wall at z = distance."""

    def __init__(self, distance: float) -> None:
        self.distance = distance

    def __call__(self, points: Tensor) -> Tensor:
        return self.distance - points[2]


class WallAndBall:
    """Clearance before a wall at z = distance with a ball in front of it."""

    def __init__(self, distance: float, centre: tuple[float, float, float], radius: float) -> None:
        self.distance, self.centre, self.radius = distance, centre, radius

    def __call__(self, points: Tensor) -> Tensor:
        ball = (points - torch.tensor(self.centre)[:, None]).norm(dim=0) - self.radius
        return torch.minimum(self.distance - points[2], ball)


class Slit:
    """Clearance between walls at x = -half_width and x = half_width."""

    def __init__(self, half_width: float) -> None:
        self.half_width = half_width

    def __call__(self, points: Tensor) -> Tensor:
        return self.half_width - points[0].abs()
