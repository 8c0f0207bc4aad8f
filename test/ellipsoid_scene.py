"""A textured ellipsoid seen from within, whose depth, colour and surface are known in closed form."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from endo_depth_ros.datasets.truth_sequence import TruthFrame
from endo_depth_ros.geometry.camera import Camera
from endo_depth_ros.geometry.projection import raw_pixel_rays

# No symmetry: half axes and centre, metres.
HALF_AXES = np.array([0.045, 0.06, 0.08])
CENTRE = np.array([0.006, -0.009, 0.012])
CAMERA = Camera(48, 36, np.array([[40.0, 0, 22.5], [0, 42.0, 19.0], [0, 0, 1]]))


def poses(count=4):
    """T_world_camera [N, 4, 4], optical frame, metres: a camera within the ellipsoid that moves and turns every way."""
    t = np.linspace(0, 1, count)
    made = np.tile(np.eye(4), (count, 1, 1))
    turns = np.stack([0.3 + 0.2 * t, -0.2 + 0.5 * t, 0.4 - 0.3 * t], 1)
    made[:, :3, :3] = Rotation.from_rotvec(turns).as_matrix()
    made[:, :3, 3] = np.stack([0.004 - 0.01 * t, 0.003 + 0.006 * t, -0.012 + 0.02 * t], 1)
    return made


def depth_along(rays, T):
    """Depth z of the ellipsoid along rays [..., 3] (z = 1) of a camera at T."""
    d = rays @ T[:3, :3].T / HALF_AXES
    o = (T[:3, 3] - CENTRE) / HALF_AXES
    a, b, c = np.sum(d * d, -1), d @ o, o @ o - 1
    return (-b + np.sqrt(b * b - a * c)) / a


def color_at(points):
    """uint8 [..., 3], RGB of points of the world."""
    waves = points @ np.array([[60.0, -35, 20], [25, 70, -30], [-40, 15, 50]]).T + [0.3, 1.1, 2.0]
    return np.round(np.nan_to_num(127 + 100 * np.sin(waves))).astype(np.uint8)


def view(T, rays):
    """Depth [H, W], metres, and colour [H, W, 3] along rays [H, W, 3] of a camera at T."""
    depth = depth_along(rays, T)
    return depth, color_at(rays * depth[..., None] @ T[:3, :3].T + T[:3, 3])


def views(camera=CAMERA, count=4):
    """(pose, depth, colour) of each pose of a camera's own rays."""
    rays = raw_pixel_rays(camera)
    return [(T, *view(T, rays)) for T in poses(count)]


def check(truth: TruthFrame, T=None, depth_m=2e-5, levels=1.0):
    """Depth and pose put every pixel on the ellipsoid, to within depth_m, where it has the colour of the image.

    T: the pose to take where the data set has none. levels: mean difference of colours allowed.
    """
    T = truth.T_world_camera if T is None else T
    rays = raw_pixel_rays(truth.frame.camera)
    seen = np.isfinite(truth.depth)
    assert seen.mean() > 0.5
    points = rays * truth.depth[..., None] @ T[:3, :3].T + T[:3, 3]
    exact = depth_along(rays, T)
    assert np.abs(truth.depth - exact)[seen].max() < depth_m
    inside = np.sum(((points[seen] - CENTRE) / HALF_AXES) ** 2, axis=1)
    assert np.abs(inside - 1).max() < 4 * depth_m / HALF_AXES.min()
    assert np.abs(truth.frame.image[seen].astype(float) - color_at(points[seen])).mean() < levels
