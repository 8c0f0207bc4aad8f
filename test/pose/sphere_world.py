"""A camera inside a textured sphere: images, depth and poses known in closed form."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from endo_depth_ros.contracts import DepthEstimate, Frame, FrameStatus, Scale, Verdict
from endo_depth_ros.geometry.camera import Camera
from endo_depth_ros.geometry.rectification import pixel_rays

Array = NDArray[np.float64]
RADIUS_M = 0.03
CAMERA = Camera(160, 128, np.array([[90.0, 0, 79.5], [0, 90.0, 63.5], [0, 0, 1]]))
RATE_NS = 33_333_333


class SphereWorld:
    """Renders 160×128 images of the sphere's inside, centred on the origin of the world."""

    def __init__(self, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self._waves = rng.normal(size=(24, 3)) * 1800  # rad/m: the finest have about five pixels a period
        self._phases = rng.uniform(0, 2 * np.pi, 24)
        self._rays = pixel_rays(CAMERA).astype(np.float64)

    def look(self, T_world_camera: Array) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Image uint8 [H, W, 3] and depth float32 [H, W], metres, from a pose inside the sphere."""
        directions = self._rays @ T_world_camera[:3, :3].T
        origin = T_world_camera[:3, 3]
        a, b, c = (directions**2).sum(-1), directions @ origin, origin @ origin - RADIUS_M**2
        depth = (-b + np.sqrt(b * b - a * c)) / a
        points = origin + directions * depth[..., None]
        brightness = np.cos(points @ self._waves.T + self._phases).sum(-1) / 3.5
        grey = np.clip(128 + 60 * brightness, 0, 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2), depth.astype(np.float32)


def wander(index: int) -> Array:
    """T_world_camera [4, 4] of a frame of a slow, smooth walk."""
    t = index / 30
    T = np.eye(4)
    T[:3, :3] = Rotation.from_rotvec([0.2 * np.sin(0.9 * t), 0.15 * np.sin(1.3 * t), 0.3 * np.sin(0.7 * t)]).as_matrix()
    T[:3, 3] = 0.008 * np.array([np.sin(1.1 * t), np.sin(0.8 * t), np.sin(0.9 * t)])
    return T


def estimate(
    image: NDArray[np.uint8],
    depth: NDArray[np.float32],
    index: int,
    verdict: Verdict = Verdict.OK,
    epoch: int = 0,
    sigma: float = 0.01,
) -> DepthEstimate:
    """A frame with depth, the index-th at 30 Hz. sigma: relative."""
    frame = Frame(10**9 + index * RATE_NS, "camera", image, CAMERA)
    status = FrameStatus(frame.stamp_ns, verdict, scale=Scale(epoch=epoch))
    return DepthEstimate(frame, depth, (sigma * depth).astype(np.float32), status)
