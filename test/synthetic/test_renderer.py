"""Light and normals of scenes with a closed form."""

import numpy as np
import pytest
import torch
from known_scenes import Bubble, Wall

from endo_depth_ros.geometry.camera import pinhole_from_hfov
from endo_depth_ros.geometry.projection import raw_pixel_rays
from endo_depth_ros.synthetic.lighting import LightSettings, WetFilm
from endo_depth_ros.synthetic.renderer import Renderer

CAMERA = pinhole_from_hfov(61, 51, 80.0)
MATT = LightSettings(positions=((0.0, 0.0, 0.0),), beam_exponent=0.0, fill=0.0, highlight=0.0)


def render(scene, light=MATT, T=None):
    return Renderer(scene, 0, light).render(np.eye(4) if T is None else T, CAMERA)


def test_brightness_of_a_wall_ahead_falls_with_the_square_of_its_distance():
    near, far = (render(Wall(d)).radiance[25, 30] for d in (0.015, 0.06))
    assert near == pytest.approx(16 * far, rel=1e-4)
    assert near == pytest.approx(0.5 * (0.03 / 0.015) ** 2, rel=1e-4)


def test_a_wall_ahead_darkens_outwards_as_lambert_and_the_distance_say():
    rays = raw_pixel_rays(CAMERA)
    cosine = 1 / np.linalg.norm(rays, axis=-1)
    expected = 0.5 * (0.03 / 0.02) ** 2 * cosine**3
    assert render(Wall(0.02)).radiance[..., 1] == pytest.approx(expected, rel=1e-3)


def test_a_sphere_around_the_light_is_evenly_lit():
    radiance = render(Bubble(0.03)).radiance
    assert radiance == pytest.approx(0.5, rel=1e-3)


def test_two_sources_share_the_power():
    pair = LightSettings(((0.001, 0, 0), (-0.001, 0, 0)), beam_exponent=0.0, fill=0.0, highlight=0.0)
    assert render(Wall(0.05), pair).radiance[25, 30] == pytest.approx(render(Wall(0.05)).radiance[25, 30], rel=5e-3)


def test_a_smooth_wet_wall_mirrors_the_light_straight_ahead():
    wet = LightSettings(((0.0, 0.0, 0.0),), beam_exponent=0.0, fill=0.0, highlight=0.5, film_slope=0.0)
    glint = render(Wall(0.03), wet).radiance[..., 0] - render(Wall(0.03)).radiance[..., 0]
    assert np.unravel_index(glint.argmax(), glint.shape) == (25, 30)
    assert glint[25, 30] > 1
    assert glint[0, 0] < 0.01 * glint[25, 30]


def test_normals_are_in_the_optical_frame_whatever_the_pose():
    T = np.eye(4)
    T[:3, :3] = [[0, 0, 1], [1, 0, 0], [0, 1, 0]]
    view = render(Wall(0.03, (-1.0, 0.0, 0.0)), T=T)
    assert view.depth == pytest.approx(0.03, rel=1e-5)
    assert view.normals.reshape(-1, 3) == pytest.approx(np.tile([0.0, 0.0, -1.0], (view.depth.size, 1)), abs=1e-3)


def test_what_meets_no_tissue_is_nan_everywhere():
    view = render(Wall(0.01, (0.0, 1.0, 0.0)))
    missed = np.isnan(view.depth)
    assert missed.any()
    assert (np.isnan(view.radiance).all(-1) == missed).all()
    assert (np.isnan(view.normals).all(-1) == missed).all()


def test_the_wet_film_ripples_by_the_slope_asked_for():
    points = torch.rand(3, 20000, generator=torch.Generator().manual_seed(0)) * 0.05
    normals = torch.tensor([[0.0], [0.0], [-1.0]]).expand(3, 20000)
    tilted = np.mean([float((1 / WetFilm(seed, 0.1).tilted(normals, points)[2] ** 2 - 1).mean()) for seed in range(9)])
    assert np.sqrt(tilted) == pytest.approx(0.1 * np.sqrt(2), rel=0.2)
