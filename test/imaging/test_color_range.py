"""Colours of a depth video."""

import numpy as np
import pytest

from endo_depth_ros.imaging.color_range import EMPTY_RANGE, GAIN, ColorRange


def wall(depth):
    return np.full((32, 32), depth, np.float32)


def test_the_first_frame_sets_the_range():
    depth = np.linspace(0.01, 0.1, 32 * 32, dtype=np.float32).reshape(32, 32)
    near, far = ColorRange().update(depth)
    assert 0.01 <= near < 0.02
    assert 0.09 < far <= 0.1


def test_the_range_follows_slowly():
    colors = ColorRange()
    colors.update(wall(0.1))
    near, _ = colors.update(wall(0.2))
    assert near == pytest.approx(0.1 * 2**GAIN)


def test_invalid_depth_does_not_count():
    depth = wall(0.1)
    kind = np.random.default_rng(0).integers(0, 4, depth.shape)
    for number, value in enumerate((np.nan, np.inf, -np.inf)):
        depth[kind == number] = value
    assert ColorRange().update(depth)[0] == pytest.approx(0.1)
    assert ColorRange().update(wall(np.nan)) == EMPTY_RANGE


def test_a_flat_wall_still_has_two_ends():
    near, far = ColorRange().update(wall(0.1))
    assert near < far
