"""What a frame knows of the landmarks that it saw."""

from __future__ import annotations

import numpy as np

from endo_depth_ros.pose.depth_field import TERMS, DepthField
from endo_depth_ros.pose.keyframe import MapPoints, Tracks
from endo_depth_ros.pose.lie import exp_se3
from endo_depth_ros.pose.resection import Evidence, Resection
from endo_depth_ros.pose.views import Sight

K = np.array([[100.0, 0, 80], [0, 100.0, 64], [0, 0, 1]])
POSE = exp_se3(np.array([0.1, -0.2, 0.05, 0.01, 0.02, -0.01]))
IMAGE_SIGMA = 0.15


def sight(in_camera, spread_in_camera):
    """A sight of points [N, 3] with their spreads, in the camera's axes."""
    count, R = len(in_camera), POSE[:3, :3]
    points = MapPoints(in_camera @ R.T + POSE[:3, 3], spread_in_camera @ R.T)
    pixels = np.column_stack([np.arange(count), np.arange(count)]).astype(float)
    evidence = Evidence(
        points, pixels, np.tile(np.eye(2), (count, 1, 1)), np.zeros(count), np.full(count, IMAGE_SIGMA),
        np.zeros((count, TERMS)), K,
    )  # fmt: skip
    return Sight(Resection(POSE, DepthField(), 0.0, np.eye(6)), Tracks(), evidence, 1.0)


def test_landmarks_have_their_depth_in_the_frame_where_they_were_seen():
    in_camera = np.array([[0.01, 0.0, 0.05], [-0.01, 0.02, 0.08]])
    found = sight(in_camera, 0.02 * in_camera).depth_points()
    np.testing.assert_allclose(found.log_depth, np.log(in_camera[:, 2]), atol=1e-12)
    np.testing.assert_array_equal(found.pixels, [[0, 0], [1, 1]])


def test_what_the_image_itself_says_does_not_count_for_a_landmark():
    in_camera = np.array([[0.01, 0.0, 0.05], [0.01, 0.0, 0.05], [0.01, 0.0, 0.05]])
    shares = np.array([0.03, IMAGE_SIGMA, 2 * IMAGE_SIGMA])
    found = sight(in_camera, shares[:, None] * in_camera).depth_points()
    # Both opinions together are as good as the landmark.
    assert np.isclose(found.log_sigma[0] ** -2 + IMAGE_SIGMA**-2, 0.03**-2)
    assert found.log_sigma[1] > 1e3
    assert np.isinf(found.log_sigma[2])


def test_a_landmark_behind_the_camera_has_no_depth():
    in_camera = np.array([[0.0, 0.0, -0.05], [0.0, 0.01, 0.05]])
    found = sight(in_camera, 0.02 * in_camera).depth_points()
    assert np.isnan(found.log_depth).tolist() == [True, False]
