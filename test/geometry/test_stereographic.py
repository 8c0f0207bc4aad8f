"""The stereographic plane: there and back, and what makes it stereographic."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endo_depth_ros.geometry.stereographic import plane_points, plane_rays

places = st.tuples(st.floats(-1.3, 1.3), st.floats(-1.3, 1.3))


@given(place=places)
def test_rays_come_back_to_their_place(place):
    np.testing.assert_allclose(plane_points(plane_rays(np.array(place))), place, atol=1e-12)


def test_there_is_no_ray_from_90_degrees_on():
    assert np.isfinite(plane_rays(np.array([1.99, 0.0]))).all()
    assert np.isnan(plane_rays(np.array([[2.0, 0.0], [1.6, -1.6]]))[:, :2]).all()


@pytest.mark.parametrize("angle_deg", [0.1, 30, 60, 89])
def test_the_distance_from_the_centre_is_twice_the_tangent_of_half_the_angle(angle_deg):
    angle = np.radians(angle_deg)
    point = plane_points(np.array([0.0, np.sin(angle), np.cos(angle)]) * 3.0)
    np.testing.assert_allclose(point, [0, 2 * np.tan(angle / 2)], atol=1e-12)


@given(place=places)
def test_small_shapes_keep_their_form(place):
    step = 1e-6
    across, down, middle = (plane_rays(np.array(place) + move) for move in ([step, 0], [0, step], [0.0, 0.0]))
    unit = [ray / np.linalg.norm(ray) for ray in (across, down, middle)]
    right, below = (unit[0] - unit[2]) / step, (unit[1] - unit[2]) / step
    assert np.linalg.norm(right) == pytest.approx(np.linalg.norm(below), rel=1e-4)
    assert right @ below == pytest.approx(0, abs=1e-4)
