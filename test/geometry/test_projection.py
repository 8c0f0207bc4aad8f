"""Projection against the models' equations, and where they stop to hold."""

import numpy as np
import pytest
from distortion import distort
from hypothesis import given
from hypothesis import strategies as st

from endo_depth_ros.geometry.camera import (
    EQUIDISTANT,
    PINHOLE,
    PLUMB_BOB,
    RATIONAL_POLYNOMIAL,
    Camera,
    stereographic_from_hfov,
)
from endo_depth_ros.geometry.projection import project, raw_pixel_rays, valid_angle

K = np.array([[500.0, 0, 320], [0, 510, 250], [0, 0, 1]])


@pytest.mark.parametrize(
    ("model", "D"),
    [
        (PINHOLE, []),
        (PLUMB_BOB, [-0.3, 0.1, 0.002, -0.001]),
        (PLUMB_BOB, [-0.3, 0.1, 0.002, -0.001, 0.01]),
        (RATIONAL_POLYNOMIAL, [0.4, 0.2, 0.001, 0.002, 0.03, 0.7, 0.3, 0.05]),
        (EQUIDISTANT, [-0.05, 0.01, 0.002, -0.001]),
    ],
)
@given(x=st.floats(-0.5, 0.5), y=st.floats(-0.4, 0.4), z=st.floats(0.01, 10))
def test_projection_is_the_equation(model, D, x, y, z):
    camera = Camera(640, 512, K, model, np.array(D))
    pixels, seen = project(camera, np.array([[x * z, y * z, z]]))
    np.testing.assert_allclose(pixels[0], distort(camera, np.array([x, y, 1.0])), atol=1e-6)
    assert seen[0]


@pytest.mark.parametrize("model", [PINHOLE, PLUMB_BOB, EQUIDISTANT])
def test_nothing_behind_the_camera_is_seen(model):
    camera = Camera(640, 512, K, model, np.array([] if model == PINHOLE else [-0.1, 0.0, 0.0, 0.0]))
    points = np.array([[0.0, 0, -1], [0.1, 0.1, -1], [1, 0, 0], [0, 0, 1]])
    assert project(camera, points)[1].tolist() == [False, False, False, True]


@given(k1=st.floats(-1.5, -0.05))
def test_barrel_distortion_holds_up_to_its_turning_point(k1):
    camera = Camera(640, 512, K, PLUMB_BOB, np.array([k1, 0, 0, 0, 0.0]))
    assert np.tan(valid_angle(camera)) == pytest.approx(np.sqrt(-1 / (3 * k1)), rel=0.01)


def test_stereographic_rays_project_back_to_their_pixels_as_the_plane_says():
    camera = stereographic_from_hfov(160, 128, 140.0)
    rays = raw_pixel_rays(camera)
    pixels, seen = project(camera, rays.reshape(-1, 3))
    assert seen.all()
    v, u = np.mgrid[:128, :160]
    np.testing.assert_allclose(pixels.reshape(128, 160, 2), np.stack([u, v], -1), atol=1e-9)
    edge = np.array([[np.tan(np.radians(70)), 0.0, 1.0]])
    assert project(camera, edge)[0][0, 0] == pytest.approx(159.5)


def test_a_model_that_always_grows_holds_everywhere():
    assert valid_angle(Camera(640, 512, K, EQUIDISTANT, np.zeros(4))) == pytest.approx(np.pi / 2)
    assert valid_angle(Camera(640, 512, K, PLUMB_BOB, np.array([0.2, 0.1, 0, 0]))) == pytest.approx(np.pi / 2)


def test_rational_model_ends_at_its_pole():
    camera = Camera(640, 512, K, RATIONAL_POLYNOMIAL, np.array([0.0, 0, 0, 0, 0, -0.5, 0, 0]))
    assert np.tan(valid_angle(camera)) == pytest.approx(np.sqrt(2), rel=0.01)


@pytest.mark.parametrize(
    ("model", "D"), [(PLUMB_BOB, [-0.25, 0.06, 0.001, -0.002, 0.0]), (EQUIDISTANT, [0.02, -0.01, 0.003, 0.0])]
)
def test_rays_of_a_distorted_camera_project_back_to_their_pixels(model, D):
    camera = Camera(64, 48, np.array([[50.0, 0, 31], [0, 50, 24], [0, 0, 1]]), model, np.array(D))
    v, u = np.mgrid[:48, :64]
    pixels, seen = project(camera, raw_pixel_rays(camera).reshape(-1, 3))
    assert seen.all()
    assert np.abs(pixels - np.stack([u, v], -1).reshape(-1, 2)).max() < 1e-3
