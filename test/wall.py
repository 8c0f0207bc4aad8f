"""A textured wall seen by a moving camera: exact pictures, depth and tracks without a renderer."""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from endo_depth_ros.contracts import Frame
from endo_depth_ros.geometry.camera import Camera

W, H = 320, 256
K = np.array([[260.0, 0, 159.5], [0, 260, 127.5], [0, 0, 1]])
CAMERA = Camera(W, H, K)
TEXTURE_PX = 1024
TEXTURE_M = 0.16


@cache
def draw_texture(seed):
    """Blotches of several sizes, uint8 [TEXTURE_PX, TEXTURE_PX]."""
    rng = np.random.default_rng(seed)
    total = np.zeros((TEXTURE_PX, TEXTURE_PX), np.float32)
    for cells in (32, 64, 128, 256):
        noise = rng.normal(0, 1, (cells, cells)).astype(np.float32)
        total += cv2.resize(noise, (TEXTURE_PX, TEXTURE_PX), interpolation=cv2.INTER_CUBIC)
    return np.clip(128 + 24 * total, 0, 255).astype(np.uint8)


@dataclass(frozen=True)
class Wall:
    """A plane through (0, 0, distance_m), tilted about y, in the frame of the camera's first pose."""

    seed: int = 0
    distance_m: float = 0.04
    tilt_rad: float = 0.5

    def frame(self, stamp_ns, position_m=(0.0, 0.0, 0.0), rotation_rad=(0.0, 0.0, 0.0)):
        """The frame and depth, float32 [H, W], from a position and a rotation vector of the camera."""
        R = cv2.Rodrigues(np.array(rotation_rad, float))[0]
        along, origin = np.array([np.cos(self.tilt_rad), 0, np.sin(self.tilt_rad)]), np.array([0, 0, self.distance_m])
        u, v = np.meshgrid(np.arange(W), np.arange(H))
        rays = np.stack([(u - K[0, 2]) / K[0, 0], (v - K[1, 2]) / K[1, 1], np.ones((H, W))], -1) @ R.T
        depth = self.depth_along(rays, position_m)
        points = np.array(position_m) + depth[..., None] * rays - origin
        scale = TEXTURE_PX / TEXTURE_M
        columns = (points @ along * scale + TEXTURE_PX / 2).astype(np.float32)
        rows = (points[..., 1] * scale + TEXTURE_PX / 2).astype(np.float32)
        grey = cv2.remap(draw_texture(self.seed), columns, rows, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
        image = (grey[..., None] * np.array([1.0, 0.6, 0.5])).astype(np.uint8)
        return Frame(stamp_ns, "scope", image, CAMERA), depth.astype(np.float32)

    def depth_along(self, rays, position_m=(0.0, 0.0, 0.0)):
        """Length [...] in rays [..., 3] from a position to the wall: z, where the rays have z = 1."""
        normal = np.cross([np.cos(self.tilt_rad), 0, np.sin(self.tilt_rad)], [0.0, 1, 0])
        return ((np.array([0, 0, self.distance_m]) - position_m) @ normal) / (rays @ normal)
