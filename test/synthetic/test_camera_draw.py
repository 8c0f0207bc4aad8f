"""Drawn cameras."""

import math

import numpy as np

from endo_depth_ros.geometry.camera import check_intrinsics
from endo_depth_ros.synthetic.camera_draw import draw_camera


def test_drawn_cameras_stay_within_what_endoscopes_have():
    angles = []
    for seed in range(300):
        camera = draw_camera(np.random.default_rng(seed), 320, 256)
        check_intrinsics("K", camera.K, 320, 256)
        angles.append(math.degrees(2 * math.atan(160 / camera.K[0, 0])))
        assert abs(camera.K[1, 1] / camera.K[0, 0] - 1) <= 0.01
        assert abs(camera.K[0, 2] - 159.5) <= 0.0501 * 320
        assert abs(camera.K[1, 2] - 127.5) <= 0.0501 * 256
        assert camera.calibrated
        assert camera.rectified
    assert 45 <= min(angles) < 55
    assert 115 < max(angles) <= 130


def test_the_same_seed_draws_the_same_camera():
    assert draw_camera(np.random.default_rng(3), 320, 256) == draw_camera(np.random.default_rng(3), 320, 256)
    assert draw_camera(np.random.default_rng(3), 320, 256) != draw_camera(np.random.default_rng(4), 320, 256)
