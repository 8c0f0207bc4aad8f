"""Predictions in the pixels of the truth show the same surface."""

import numpy as np
import pytest
from test_truth import plane_depth

from endo_depth_ros.evaluation.resampling import resize_as_disparity, to_raw_view
from endo_depth_ros.evaluation.truth import rectify_truth
from endo_depth_ros.geometry.camera import PLUMB_BOB, Camera, pinhole_from_hfov

RAW = Camera(
    160, 120, np.array([[130.0, 0, 80], [0, 130, 60], [0, 0, 1]]), PLUMB_BOB, np.array([-0.3, 0.08, 0.001, 0.001, 0.0])
)
RECTIFIED = Camera(200, 150, np.array([[100.0, 0, 100], [0, 100, 75], [0, 0, 1]]))


def test_a_resized_plane_is_the_same_plane():
    camera = pinhole_from_hfov(80, 60, 70.0)
    resized = resize_as_disparity(plane_depth(camera), 160, 120)
    inside = (slice(2, -2), slice(2, -2))
    # 1 / depth of a plane is linear in the pixels, so bilinear resizing is exact away from the border.
    assert resized[inside] == pytest.approx(plane_depth(camera.resized(160, 120))[inside], rel=1e-5)


def test_a_pixel_without_depth_leaves_its_neighbours_without():
    depth = np.full((4, 4), 0.05)
    depth[1, 1] = np.nan
    assert np.isnan(resize_as_disparity(depth, 8, 8)[2:4, 2:4]).all()
    assert np.isfinite(resize_as_disparity(depth, 8, 8)[6:, 6:]).all()


def test_a_rectified_prediction_is_seen_in_the_raw_image():
    seen = to_raw_view(plane_depth(RECTIFIED), RECTIFIED, RAW)
    assert np.isfinite(seen).mean() > 0.9
    inside = np.isfinite(seen)
    assert seen[inside] == pytest.approx(plane_depth(RAW)[inside], rel=1e-4)


def test_the_rectifying_rotation_is_undone():
    angle = 0.1
    R = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    raw, normal = Camera(160, 120, RAW.K, R=R), np.array([0.2, -0.1, 1.0])
    seen = to_raw_view(plane_depth(RECTIFIED, R @ normal), RECTIFIED, raw)
    inside = np.isfinite(seen)
    assert inside.mean() > 0.8
    assert seen[inside] == pytest.approx(plane_depth(raw, normal)[inside], rel=1e-4)


def test_both_ways_of_bringing_truth_and_prediction_together_agree():
    truth = plane_depth(RAW)
    there = to_raw_view(rectify_truth(truth, RAW, RECTIFIED), RECTIFIED, RAW)
    inside = np.isfinite(there)
    assert there[inside] == pytest.approx(truth[inside], rel=1e-2)


def test_what_the_prediction_does_not_show_is_nan():
    narrow = pinhole_from_hfov(80, 60, 20.0)
    seen = to_raw_view(plane_depth(narrow), narrow, RAW)
    assert np.isnan(seen[0]).all()
    assert np.isfinite(seen[60, 80])
