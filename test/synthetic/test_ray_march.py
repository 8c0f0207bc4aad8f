"""Depth along rays against closed forms and against a march in steps of a hundredth of a millimetre."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from known_scenes import WAY, Bubble, Wall, baked_tube

from endo_depth_ros.geometry.camera import pinhole_from_hfov
from endo_depth_ros.geometry.projection import raw_pixel_rays
from endo_depth_ros.synthetic.ray_march import NEAR, cast_rays, march

CAMERA = pinhole_from_hfov(100, 82, 90.0)


def cast(scene, camera=CAMERA, T=None):
    T = torch.eye(4) if T is None else torch.tensor(T, dtype=torch.float32)
    rays = torch.from_numpy(raw_pixel_rays(camera).astype(np.float32)).permute(2, 0, 1)
    world = (T[:3, :3] @ rays.reshape(3, -1)).reshape(rays.shape)
    return cast_rays(scene, T[:3, 3], world).numpy()


def test_a_wall_across_the_view_has_one_depth():
    assert cast(Wall(0.03)) == pytest.approx(0.03, rel=1e-5)


@settings(max_examples=8, deadline=None)
@given(st.floats(-0.6, 0.6), st.floats(-0.6, 0.6), st.floats(0.01, 0.1))
def test_a_slanted_wall_has_the_depth_of_its_plane(slope_x, slope_y, distance):
    wall = Wall(distance, (slope_x, slope_y, -1.0))
    x, y, z = np.moveaxis(raw_pixel_rays(CAMERA), -1, 0)
    n = wall.normal.numpy().astype(np.float64)
    with np.errstate(divide="ignore"):
        expected = -distance / (n[0] * x + n[1] * y + n[2] * z)
    near = (expected > 0.001) & (expected < 0.3)
    depth = cast(wall)
    assert depth[near] == pytest.approx(expected[near], rel=1e-4)


@pytest.mark.parametrize("size", [(33, 17), (120, 100), (321, 203)])
def test_a_sphere_seen_from_inside(size):
    camera = pinhole_from_hfov(*size, 100.0)
    expected = 0.04 / np.linalg.norm(raw_pixel_rays(camera), axis=-1)
    assert cast(Bubble(0.04), camera) == pytest.approx(expected, rel=1e-5)


def test_rays_that_meet_nothing_are_nan():
    depth = cast(Wall(0.01, (0.0, 1.0, 0.0)))
    rows = raw_pixel_rays(CAMERA)[:, 0, 1]
    assert np.isnan(depth[rows >= -0.005]).all()
    assert np.isfinite(depth[rows < -0.03]).all()


def view_into_the_tube(tilt):
    """T_world_camera off the middle of the tube, tilted by some radians about y."""
    T = np.eye(4)
    T[:3, :3] = [[np.cos(tilt), 0, np.sin(tilt)], [0, 1, 0], [-np.sin(tilt), 0, np.cos(tilt)]]
    T[:3, 3] = WAY[1] + [0.003, -0.002, 0]
    return T


@pytest.mark.parametrize("tilt", [0.1, 0.6, 1.3])
def test_depth_in_folds_is_the_first_surface_of_a_fine_march(tilt):
    field, T = baked_tube(), view_into_the_tube(tilt)
    depth = cast(field, T=T).reshape(-1)
    chosen = np.random.default_rng(0).permutation(depth.size)[:400]
    rays = torch.tensor(raw_pixel_rays(CAMERA).reshape(-1, 3)[chosen] @ T[:3, :3].T, dtype=torch.float32)
    step = 2.5e-5
    z = torch.arange(5e-4, 0.15, step)
    points = torch.tensor(T[:3, 3], dtype=torch.float32) + z[:, None, None] * rays
    buried = field.clearance(points.reshape(-1, 3).T.contiguous()).reshape(len(z), -1) <= 0
    first = z[buried.float().argmax(0)].numpy()
    right = (depth[chosen] <= first * 1.0002) & (depth[chosen] >= (first - step) * 0.9998)
    # A ray that grazes an edge, less than a pixel of it, may go on.
    assert right.mean() > 0.99


def test_depth_points_lie_on_the_tissue():
    field, T = baked_tube(), view_into_the_tube(0.3)
    depth = cast(field, T=T)
    assert np.isfinite(depth).all()
    points = raw_pixel_rays(CAMERA) * depth[..., None] @ T[:3, :3].T + T[:3, 3]
    clearance = field.clearance(torch.tensor(points.reshape(-1, 3).T, dtype=torch.float32))
    assert clearance.abs().max() < 4e-6


def test_a_march_goes_no_farther_than_its_limit():
    rays = torch.tensor([[0.0, 0.0], [0.0, 0.0], [1.0, 1.0]])
    start = torch.full((2,), NEAR)
    found = march(Wall(0.03), torch.zeros(3), rays, start, torch.tensor([0.02, 0.05]))
    assert found[0].isnan()
    assert found[1] == pytest.approx(0.03, abs=1e-5)
