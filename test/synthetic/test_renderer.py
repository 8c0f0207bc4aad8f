"""Depth, normals and things in view against closed forms; light has tests of its own."""

import numpy as np
import pytest
import torch
from known_scenes import bubble_scene

from endo_depth_ros.geometry.camera import pinhole_from_hfov
from endo_depth_ros.geometry.projection import raw_pixel_rays
from endo_depth_ros.synthetic.deformation import Deformation
from endo_depth_ros.synthetic.light_settings import LightSettings
from endo_depth_ros.synthetic.renderer import render
from endo_depth_ros.synthetic.solid import Rods, Solid
from endo_depth_ros.synthetic.surface_view import INSTRUMENT, TISSUE

CAMERA = pinhole_from_hfov(101, 81, 80.0)
RADIUS = 0.03
ELSEWHERE = np.array([[0.0, 0, 1, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]])


def rod(depth, half_length=0.004, radius=0.002):
    """A rod across the view at a depth, held by the camera."""
    a, b = np.array([[-half_length, 0.0, depth]]), np.array([[half_length, 0.0, depth]])
    one = np.ones(1)
    shape = Rods(a, b, radius * one, radius * one, 0.3 * np.ones((1, 3)), one, 0 * one)
    return Solid(INSTRUMENT, True, lambda time_s: shape, lambda time_s: np.eye(4))


def view(scene, T=ELSEWHERE, time_s=0.0):
    return render(scene, T, CAMERA, LightSettings(), time_s)


def test_a_sphere_from_its_middle_has_the_depth_and_normals_of_a_sphere():
    seen = view(bubble_scene(RADIUS))
    rays = raw_pixel_rays(CAMERA)
    lengths = np.linalg.norm(rays, axis=-1)
    assert seen.depth == pytest.approx(RADIUS / lengths, rel=2e-3)
    assert (seen.normals * -rays / lengths[..., None]).sum(-1).min() > 0.9995
    assert (seen.material == TISSUE).all()


def test_light_is_finite_and_positive_and_nearer_walls_are_brighter():
    off_the_middle = ELSEWHERE.copy()
    off_the_middle[:3, 3] = [0.008, 0.0, 0.0]  # towards what the camera looks at
    seen, near = view(bubble_scene(RADIUS)), view(bubble_scene(RADIUS), off_the_middle)
    assert np.isfinite(seen.radiance).all()
    assert (seen.radiance >= 0).all()
    assert np.median(near.radiance[35:45, 45:55]) > 1.3 * np.median(seen.radiance[35:45, 45:55])


def test_an_instrument_hides_the_wall_and_is_where_it_is_held():
    seen = view(bubble_scene(RADIUS, solids=(rod(0.015),)))
    assert seen.depth[40, 50] == pytest.approx(0.013, abs=2e-5)
    assert seen.normals[40, 50] == pytest.approx([0, 0, -1], abs=0.02)
    share = 0.008 * 0.004 / 0.015**2 / (2 * np.tan(np.radians(40))) ** 2 / (81 / 101)
    assert (seen.material == INSTRUMENT).mean() == pytest.approx(share, rel=0.6)
    assert (seen.depth[seen.material == TISSUE] > 0.02).all()


def test_what_lies_behind_the_wall_is_not_seen():
    assert (view(bubble_scene(RADIUS, solids=(rod(0.05),))).material == TISSUE).all()


def test_the_nearer_of_two_things_is_seen_in_any_order():
    near, far = rod(0.012), rod(0.02)
    one, other = view(bubble_scene(RADIUS, solids=(near, far))), view(bubble_scene(RADIUS, solids=(far, near)))
    assert one.depth[40, 50] == pytest.approx(0.010, abs=2e-5)
    assert np.array_equal(one.depth, other.depth)


def test_an_instrument_casts_a_shadow():
    beside = LightSettings(positions=((0.0, -0.004, 0.0),), powers=(1.0,), source_radius=3e-4)
    scene, shadowed = bubble_scene(RADIUS), bubble_scene(RADIUS, solids=(rod(0.02, radius=0.0015),))
    plain, dark = (render(s, ELSEWHERE, CAMERA, beside).radiance[..., 1] for s in (scene, shadowed))
    tissue = view(shadowed).material == TISSUE
    assert (dark[tissue] < 0.6 * plain[tissue]).mean() > 0.005


def test_walls_that_move_take_their_colour_and_depth_along():
    shift = Deformation(np.zeros((1, 3)), np.array([[0.002, 0, 0]]), np.zeros(1), np.full(1, np.pi / 2))
    moved = view(bubble_scene(RADIUS, deformation=shift))
    T = ELSEWHERE.copy()
    T[:3, 3] = [0.002, 0, 0]
    there = view(bubble_scene(RADIUS), T)
    assert moved.depth == pytest.approx(there.depth, rel=1e-4)
    assert moved.radiance == pytest.approx(there.radiance, rel=0.02, abs=0.01)


def test_rendering_leaves_the_threads_of_torch_as_they_were():
    before = torch.get_num_threads()
    view(bubble_scene(RADIUS))
    assert torch.get_num_threads() == before
