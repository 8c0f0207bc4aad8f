"""Blur of a moving camera."""

import numpy as np
import pytest

from endo_depth_ros.geometry.camera import pinhole_from_hfov
from endo_depth_ros.synthetic.motion_blur import blur_motion, image_motion


def point(size=(64, 80)):
    light = np.zeros((*size, 3), np.float32)
    light[32, 40] = 1.0
    return light


@pytest.mark.parametrize("motion_px", [(7.0, 0.0), (0.0, 7.0), (5.0, 5.0), (-6.0, 3.0)])
def test_a_point_becomes_a_line_of_the_motion(motion_px):
    smear = blur_motion(point(), motion_px)[..., 1]
    rows, columns = np.nonzero(smear > 1e-4)
    weights = smear[rows, columns]
    assert weights.sum() == pytest.approx(1, abs=1e-4)
    assert np.average(columns, weights=weights) == pytest.approx(40, abs=0.05)
    assert np.average(rows, weights=weights) == pytest.approx(32, abs=0.05)
    # The variance of an even line is its length squared over 12, a little more for the pixels' own width.
    spread = np.cov(np.stack([columns, rows]), aweights=weights, ddof=0)
    assert spread == pytest.approx(np.outer(motion_px, motion_px) / 12, abs=0.6)


def test_long_smears_keep_their_light_and_length():
    smear = blur_motion(point((256, 320)), (60.0, 0.0))[..., 1]
    columns = np.nonzero(smear.sum(axis=0) > 0.002)[0]
    assert np.ptp(columns) == pytest.approx(60, abs=10)
    assert smear.sum() == pytest.approx(1, abs=0.05)


def test_no_motion_changes_nothing_but_nan():
    light = point()
    light[0, 0] = np.nan
    still = blur_motion(light, (0.0, 0.0))
    assert np.array_equal(still[1:], light[1:])
    assert np.all(still[0, 0] == 0)


def test_image_motion_of_a_shift_and_of_a_turn():
    camera = pinhole_from_hfov(320, 256, 90.0)
    depth = np.full((256, 320), 0.05, np.float32)
    depth[:10] = np.nan
    shifted = np.eye(4)
    shifted[0, 3] = 1e-3
    assert image_motion(camera, depth, np.eye(4), shifted) == pytest.approx((-160 * 0.02, 0.0), abs=1e-6)
    turned = np.eye(4)
    c, s = np.cos(0.01), np.sin(0.01)
    turned[1:3, 1:3] = [[c, -s], [s, c]]
    assert image_motion(camera, depth, np.eye(4), turned)[1] == pytest.approx(160 * 0.0123, rel=0.15)


def test_nothing_seen_does_not_move():
    camera = pinhole_from_hfov(320, 256, 90.0)
    assert image_motion(camera, np.full((256, 320), np.nan, np.float32), np.eye(4), np.eye(4)) == (0.0, 0.0)
