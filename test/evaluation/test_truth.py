"""True depth follows the image through rectification."""

import numpy as np
import pytest

from endo_depth_ros.evaluation.truth import rectify_truth
from endo_depth_ros.geometry.camera import PLUMB_BOB, Camera, pinhole_from_hfov
from endo_depth_ros.geometry.projection import raw_pixel_rays


def plane_depth(camera, normal=(0.2, -0.1, 1.0), distance=0.04):
    """Depth of the plane normal · x = distance at every raw pixel."""
    return (distance / (raw_pixel_rays(camera) @ normal)).astype(np.float32)


def test_the_same_camera_sees_the_same_depth():
    camera = pinhole_from_hfov(64, 48, 80.0)
    truth = plane_depth(camera)
    assert np.array_equal(rectify_truth(truth, camera, camera), truth)


def test_a_smaller_image_sees_the_same_plane():
    camera = pinhole_from_hfov(640, 480, 80.0)
    small = camera.resized(160, 120)
    assert rectify_truth(plane_depth(camera), camera, small) == pytest.approx(plane_depth(small), rel=2e-3)


def test_a_distorted_image_is_straightened():
    K = np.array([[260.0, 0, 160], [0, 260, 120], [0, 0, 1]])
    raw = Camera(321, 241, K, PLUMB_BOB, np.array([-0.3, 0.08, 0.001, 0.001, 0.0]))
    rectified = Camera(201, 151, np.array([[200.0, 0, 100], [0, 200, 75], [0, 0, 1]]))
    seen = rectify_truth(plane_depth(raw), raw, rectified)
    assert np.isfinite(seen).mean() > 0.9
    inside = np.isfinite(seen)
    assert seen[inside] == pytest.approx(plane_depth(rectified)[inside], rel=3e-3)


def test_a_rectifying_rotation_turns_the_depth_too():
    angle = 0.1
    R = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    K = pinhole_from_hfov(640, 480, 90.0).K
    raw, normal = Camera(640, 480, K, R=R), np.array([0.2, -0.1, 1.0])
    rectified = Camera(200, 150, np.array([[200.0, 0, 100], [0, 200, 75], [0, 0, 1]]))
    seen = rectify_truth(plane_depth(raw, normal), raw, rectified)
    inside = np.isfinite(seen)
    assert seen[inside] == pytest.approx(plane_depth(rectified, R @ normal)[inside], rel=3e-3)


def test_what_the_raw_image_does_not_show_is_nan():
    raw, wide = pinhole_from_hfov(64, 48, 40.0), pinhole_from_hfov(64, 48, 90.0)
    seen = rectify_truth(plane_depth(raw), raw, wide)
    assert np.isnan(seen[0]).all()
    assert np.isfinite(seen[24, 32])


def test_unknown_truth_stays_unknown():
    camera = pinhole_from_hfov(64, 48, 40.0)
    truth = plane_depth(camera)
    truth[10, 20] = np.nan
    assert np.argwhere(np.isnan(rectify_truth(truth, camera, camera))).tolist() == [[10, 20]]
