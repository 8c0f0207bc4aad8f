"""One view of a scene: linear light, depth, normals and what each pixel shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from endo_depth_ros.geometry.camera import Camera
from endo_depth_ros.geometry.projection import raw_pixel_rays
from endo_depth_ros.synthetic.field import surface_normals
from endo_depth_ros.synthetic.light_settings import LightSettings
from endo_depth_ros.synthetic.lighting import shade
from endo_depth_ros.synthetic.ray_march import NEAR, cast_rays, march
from endo_depth_ros.synthetic.scene import Moment, Scene
from endo_depth_ros.synthetic.solid import PlacedSolid
from endo_depth_ros.synthetic.surface_view import TISSUE, SurfaceView

_SOLID_NORMAL_STEP = 5e-5


@dataclass(frozen=True)
class RenderedView:
    """What the lens sees, before any sensor.

    radiance: linear RGB, float32 [H, W, 3]. depth: z in metres, float32 [H, W]. normals: unit, in the optical frame,
    towards the free space, float32 [H, W, 3]. All NaN where a ray meets nothing. material: of surface_view, int64.
    """

    radiance: NDArray[np.float32]
    depth: NDArray[np.float32]
    normals: NDArray[np.float32]
    material: NDArray[np.int64]


def render(
    scene: Scene, T_world_camera: NDArray[np.float64], camera: Camera, light: LightSettings, time_s: float = 0.0
) -> RenderedView:
    """The view of the raw camera, lens distortion included, from a pose [4, 4] with its light."""
    moment = scene.at(time_s, T_world_camera)
    with torch.no_grad(), _one_thread():
        view = look(moment, T_world_camera, camera)
        R, origin = view.R_world_camera, view.origin[:, None]
        radiance = shade(view, light, lambda points: moment.clearance(torch.addmm(origin, R, points)))
    depth = torch.where(view.seen, view.points[2], torch.nan)
    pictures = (_picture(radiance, view.seen), depth.cpu().numpy(), _picture(view.normals, view.seen))
    return RenderedView(*pictures, view.material.cpu().numpy())


def look(moment: Moment, T_world_camera: NDArray[np.float64], camera: Camera) -> SurfaceView:
    """The surfaces under the camera's pixels."""
    scene = moment.scene
    pose = torch.tensor(T_world_camera, dtype=torch.float32, device=scene.walls.distance.values.device)
    R, origin = pose[:3, :3], pose[:3, 3]
    rays = _rays(camera, str(pose.device))
    size, rays = rays.shape[1:], rays.reshape(3, -1)
    rays_world = R @ rays
    depth = cast_rays(moment.walls, origin, rays_world.view(3, *size)).view(-1)
    owners = _cast_solids(moment.solids, origin, rays_world, depth)
    seen = depth.isfinite()
    depth = depth.nan_to_num(nan=scene.walls.extent)
    world = torch.addcmul(origin[:, None], depth, rays_world)
    rest = moment.to_rest(world)
    normals = surface_normals(moment.walls.clearance, world, scene.anatomy.voxel)
    albedo, gloss = scene.tissue.colour(rest, normals, scene.walls.part(rest))
    gloss, material = gloss.contiguous(), torch.full_like(owners, TISSUE)
    for index, solid in enumerate(moment.solids):
        pixels = (owners == index).nonzero()[:, 0]
        points = world[:, pixels]
        normals[:, pixels] = surface_normals(solid.clearance, points, _SOLID_NORMAL_STEP)
        albedo[:, pixels], gloss[pixels] = solid.look(points)
        material[pixels] = solid.material
    return SurfaceView(
        points=(depth * rays).view(3, *size),
        normals=(R.T @ normals).view(3, *size),
        world_points=rest.view(3, *size),
        world_normals=normals.view(3, *size),
        seen=seen.view(size),
        albedo=albedo.view(3, *size),
        gloss=gloss.view(size),
        material=material.view(size),
        R_world_camera=R,
        origin=origin,
    )


def _cast_solids(solids: Sequence[PlacedSolid], origin: Tensor, rays: Tensor, depth: Tensor) -> Tensor:
    """Which of the solids each ray [3, N] meets before depth [N], which becomes that of the solid; -1 for none, [N]."""
    owners = torch.full(depth.shape, -1, device=depth.device)
    for index, solid in enumerate(solids):
        near = solid.find_rays(origin, rays)
        limit = depth[near].nan_to_num(nan=solid.extent)
        start = NEAR * rays[:, near].square().sum(0).rsqrt()
        met = march(solid, origin, rays[:, near], start, limit)
        nearer = met < limit
        depth[near[nearer]], owners[near[nearer]] = met[nearer], index
    return owners


@contextmanager
def _one_thread() -> Iterator[None]:
    """Torch on one thread: the steps of a march are so short that threads mostly wait for one another.

    Two threads gain nothing on two idle cores and are ten times slower on two busy ones.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _picture(values: Tensor, seen: Tensor) -> NDArray[np.float32]:
    """Values [3, H, W] as float32 [H, W, 3], NaN where nothing is seen."""
    return torch.where(seen, values, torch.nan).permute(1, 2, 0).contiguous().cpu().numpy()


@lru_cache(maxsize=4)
def _rays(camera: Camera, device: str) -> Tensor:
    """Rays of the camera's pixels, float32 [3, H, W]."""
    rays = raw_pixel_rays(camera).transpose(2, 0, 1)
    return torch.from_numpy(np.ascontiguousarray(rays, np.float32)).to(device)
