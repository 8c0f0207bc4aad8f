"""Drifting clouds."""

import numpy as np
import pytest

from endo_depth_ros.synthetic.clouds import cloud


def clouds(seed, size=0.5, time_s=0.0):
    return cloud(np.random.default_rng(seed), 320, 256, size, time_s)


def test_clouds_have_unit_spread_and_are_soft():
    picture = clouds(0)
    assert picture.shape == (256, 320)
    assert picture.mean() == pytest.approx(0, abs=0.05)
    assert picture.std() == pytest.approx(1, abs=0.05)
    assert np.abs(np.diff(picture, axis=1)).max() < 0.3


def test_clouds_are_seeded_and_differ():
    assert np.array_equal(clouds(1), clouds(1))
    assert np.corrcoef(clouds(1).ravel(), clouds(2).ravel())[0, 1] < 0.8


def test_clouds_drift_slowly():
    later = [np.corrcoef(clouds(3).ravel(), clouds(3, time_s=time_s).ravel())[0, 1] for time_s in (1 / 30, 4.0)]
    assert later[0] > 0.99
    assert later[1] < 0.9
