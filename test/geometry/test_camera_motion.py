"""The motion of a camera from points and pixels."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endo_depth_ros.geometry.camera_motion import fit_camera_motion, motion_of, projection_jacobian

turns = st.floats(-0.08, 0.08)
shifts = st.floats(-0.004, 0.004)


def scene(seed=0, count=120):
    rng = np.random.default_rng(seed)
    depth = rng.uniform(0.02, 0.08, (count, 1))
    return depth * np.column_stack([rng.uniform(-0.6, 0.6, count), rng.uniform(-0.5, 0.5, count), np.ones(count)])


def seen(points, T):
    moved = points @ T[:3, :3].T + T[:3, 3]
    return moved[:, :2] / moved[:, 2:]


@given(st.tuples(shifts, shifts, shifts, turns, turns, turns))
def test_small_motions_are_found(step):
    T = motion_of(np.array(step))
    np.testing.assert_allclose(fit_camera_motion(scene(), seen(scene(), T)), T, atol=1e-5)


def test_a_quarter_of_wrong_points_does_little_harm():
    points, T = scene(), motion_of(np.array([0.001, 0.0005, -0.002, 0.01, -0.02, 0.01]))
    rays = seen(points, T)
    rays[:30] += 0.05
    found = fit_camera_motion(points, rays)
    np.testing.assert_allclose(found[:3, 3], T[:3, 3], atol=2e-4)
    np.testing.assert_allclose(found[:3, :3], T[:3, :3], atol=5e-3)


def test_translation_has_the_scale_of_the_points():
    T = motion_of(np.array([0.0, 0, -0.002, 0, 0, 0]))
    rays = seen(scene(), T)
    assert fit_camera_motion(3 * scene(), rays)[2, 3] == pytest.approx(-0.006, abs=1e-5)


def test_points_without_parallax_leave_no_motion_made_up():
    points = np.array([[0.0, 0, 0.05]] * 30)
    assert np.isfinite(fit_camera_motion(points, points[:, :2] / points[:, 2:])).all()


def test_the_jacobian_is_the_derivative():
    points = scene(count=5)
    x, y, inverse = points[:, 0] / points[:, 2], points[:, 1] / points[:, 2], 1 / points[:, 2]
    jacobian = projection_jacobian(x, y, inverse)
    for place in range(6):
        step = np.zeros(6)
        step[place] = 1e-6
        change = (seen(points, motion_of(step)) - seen(points, motion_of(-step))) / 2e-6
        np.testing.assert_allclose(jacobian[:, place], change.T, rtol=1e-5, atol=1e-6)


def test_motions_turn_by_their_rotation_vector():
    T = motion_of(np.array([1.0, 2, 3, 0, 0, np.pi / 2]))
    np.testing.assert_allclose(T[:3, :3], cv2.Rodrigues(np.array([0, 0, np.pi / 2]))[0])
    assert T[:3, 3].tolist() == [1, 2, 3]
