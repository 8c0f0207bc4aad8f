"""Depth pictures: colours follow log depth, and invalid pixels never look like depth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endo_depth_ros.imaging.colormap import (
    INVALID_RGB,
    TOO_FAR_RGB,
    TOO_NEAR_RGB,
    DepthRangeError,
    colorize_depth,
    index_colors,
)

SPECIAL = {INVALID_RGB, TOO_NEAR_RGB, TOO_FAR_RGB}


def colors(values, near=0.01, far=0.1):
    return [tuple(int(c) for c in rgb) for rgb in colorize_depth(np.array([values], np.float32), near, far)[0]]


def test_invalid_too_near_and_too_far_have_their_own_colours():
    assert colors([np.nan, -np.inf, np.inf, 0.0, -1.0]) == [
        INVALID_RGB,
        TOO_NEAR_RGB,
        TOO_FAR_RGB,
        INVALID_RGB,
        INVALID_RGB,
    ]


def test_near_is_red_and_far_is_blue():
    near, far = colors([0.013, 0.08])
    assert near[0] > near[2]
    assert far[2] > far[0]


def test_depth_beyond_the_range_takes_the_colour_of_its_end():
    assert colors([0.001, 5.0]) == colors([0.01, 0.1])


def test_equal_ratios_are_equal_steps():
    a = colorize_depth(np.geomspace(0.01, 0.1, 50, dtype=np.float32)[None], 0.01, 0.1)
    b = index_colors(np.linspace(255, 3, 50).round().astype(np.uint8)[None])
    assert np.abs(a.astype(int) - b).max() <= 12  # one index of rounding


@given(st.floats(1e-6, 1e6))
def test_no_positive_depth_looks_invalid(value):
    assert colors([value])[0] not in SPECIAL


@given(st.floats(1e-3, 1e3))
def test_the_picture_does_not_depend_on_the_unit(unit):
    depth = np.geomspace(0.02, 0.09, 64, dtype=np.float32)[None]
    scaled = colorize_depth((depth * unit).astype(np.float32), 0.01 * unit, 0.1 * unit)
    difference = np.abs(scaled.astype(int) - colorize_depth(depth, 0.01, 0.1))
    assert difference.max() <= 12


def test_views_and_double_precision_give_the_same_picture():
    depth = np.linspace(0.01, 0.1, 12 * 10).reshape(12, 10)
    expected = colorize_depth(depth.astype(np.float32), 0.01, 0.1)
    assert np.array_equal(colorize_depth(depth.astype(np.float32)[:, ::-1], 0.01, 0.1), expected[:, ::-1])
    assert np.abs(colorize_depth(depth, 0.01, 0.1).astype(int) - expected).max() <= 12


def test_input_is_left_alone():
    depth = np.array([[0.02, np.nan]], np.float32)
    colorize_depth(depth, 0.01, 0.1)
    assert depth[0, 0] == np.float32(0.02)
    assert np.isnan(depth[0, 1])


@pytest.mark.parametrize(("near", "far"), [(0.0, 1.0), (1.0, 1.0), (2.0, 1.0), (np.nan, 1.0), (0.1, np.inf)])
def test_an_empty_range_is_refused(near, far):
    with pytest.raises(DepthRangeError, match="0 < near < far"):
        colorize_depth(np.ones((2, 2), np.float32), near, far)
