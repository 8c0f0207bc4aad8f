"""Assumed focal lengths on the wire."""

from types import SimpleNamespace

import numpy as np
import pytest

from endo_depth_ros.geometry.assumed_camera import assumed_camera_from_info

P = [50.0, 0, 31.5, 0, 0, 50, 23.5, 0, 0, 0, 1, 0]


def info(k=(0.0,) * 9, p=P, width=64, height=48):
    return SimpleNamespace(k=list(k), p=list(p), width=width, height=height)


def test_a_zero_k_with_a_projection_is_an_assumption():
    camera = assumed_camera_from_info(info(), 64, 48)
    np.testing.assert_array_equal(camera.K, [[50, 0, 31.5], [0, 50, 23.5], [0, 0, 1]])
    assert not camera.calibrated


@pytest.mark.parametrize(
    "message",
    [info(k=[50.0, 0, 31, 0, 50, 23, 0, 0, 1]), info(p=[0.0] * 12), info(p=[float("nan")] * 12), info(width=32)],
    ids=["calibrated", "nothing assumed", "not finite", "another size"],
)
def test_anything_else_is_not(message):
    assert assumed_camera_from_info(message, 64, 48) is None
