"""One view of a scene: linear light, depth and normals."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from endo_depth_ros.geometry.camera import Camera
from endo_depth_ros.geometry.projection import raw_pixel_rays
from endo_depth_ros.synthetic.lighting import LightSettings, WetFilm, shade
from endo_depth_ros.synthetic.ray_march import cast_rays
from endo_depth_ros.synthetic.scene import Scene, surface_normals


@dataclass(frozen=True)
class RenderedView:
    """What the lens sees, before any sensor.

    radiance: linear RGB, float32 [H, W, 3]. depth: z in metres, float32 [H, W]. normals: unit, in the optical frame,
    towards the free space, float32 [H, W, 3]. All NaN where a ray meets no tissue.
    """

    radiance: NDArray[np.float32]
    depth: NDArray[np.float32]
    normals: NDArray[np.float32]


class Renderer:
    """Renders a scene under a light that moves with the camera."""

    def __init__(
        self, scene: Scene, seed: int, light: LightSettings | None = None, device: str | torch.device = "cpu"
    ) -> None:
        self.scene, self.light, self._device = scene, light or LightSettings(), device
        self._film = WetFilm(seed, self.light.film_slope)

    def render(self, T_world_camera: NDArray[np.float64], camera: Camera) -> RenderedView:
        """The view of the raw camera, lens distortion included, from a pose [4, 4]."""
        with torch.no_grad(), _one_thread():
            return self._render(T_world_camera, camera)

    def _render(self, T_world_camera: NDArray[np.float64], camera: Camera) -> RenderedView:
        pose = torch.tensor(T_world_camera, dtype=torch.float32, device=self._device)
        R, origin = pose[:3, :3], pose[:3, 3]
        rays = _rays(camera, str(self._device))
        rays_world = R @ rays.reshape(3, -1)
        depth = cast_rays(self.scene, origin, rays_world.reshape(rays.shape))
        seen = depth.reshape(-1).isfinite()
        z, directions = depth.reshape(-1)[seen], rays.reshape(3, -1)[:, seen]
        world = origin[:, None] + z * rays_world[:, seen]
        normals = surface_normals(self.scene, world)
        film = R.T @ self._film.tilted(normals, world)
        normals = R.T @ normals
        radiance = shade(z * directions, normals, film, self.scene.albedo(world), self.light)
        return RenderedView(_picture(radiance, seen, camera), depth.cpu().numpy(), _picture(normals, seen, camera))


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


def _picture(values: Tensor, seen: Tensor, camera: Camera) -> NDArray[np.float32]:
    """Values [3, N] of the seen pixels as float32 [H, W, 3], NaN elsewhere."""
    picture = torch.full((len(seen), 3), torch.nan, device=values.device)
    picture[seen] = values.T
    return picture.reshape(camera.height, camera.width, 3).cpu().numpy()


@lru_cache(maxsize=4)
def _rays(camera: Camera, device: str) -> Tensor:
    """Rays of the camera's pixels, float32 [3, H, W]."""
    rays = raw_pixel_rays(camera).transpose(2, 0, 1)
    return torch.from_numpy(np.ascontiguousarray(rays, np.float32)).to(device)
