"""Pictures of linear light."""

import numpy as np
import pytest

from endo_depth_ros.synthetic.light import blend, light_of


def test_light_is_a_copy_in_which_nan_is_dark():
    radiance = np.ones((4, 5, 3), np.float16)
    radiance[1, 2] = np.nan
    light = light_of(radiance)
    assert light.dtype == np.float32
    assert light[1, 2].max() == 0
    assert np.isnan(radiance[1, 2]).all()


def test_blends_are_exact_at_both_ends():
    first, second = np.random.default_rng(0).random((2, 8, 9, 3), np.float32)
    share = np.zeros((8, 9), np.float32)
    share[:4], share[4] = 1, 0.25
    blended = blend(first, second, share)
    assert blended[:4] == pytest.approx(second[:4], abs=1e-6)
    assert np.array_equal(blended[5:], first[5:])
    assert blended[4] == pytest.approx(0.75 * first[4] + 0.25 * second[4], abs=1e-6)
