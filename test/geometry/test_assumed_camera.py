"""Assumed focal lengths on the wire."""

from types import SimpleNamespace

import numpy as np
import pytest

from endo_depth_ros.geometry.assumed_camera import assumed_camera_from_info
from endo_depth_ros.geometry.camera import CameraError

P = [50.0, 0, 31.5, 0, 0, 50, 23.5, 0, 0, 0, 1, 0]


def info(k=(0.0,) * 9, p=P, width=64, height=48):
    return SimpleNamespace(k=list(k), p=list(p), width=width, height=height)


def test_a_zero_k_with_a_projection_is_an_assumption():
    camera = assumed_camera_from_info(info(), 64, 48)
    np.testing.assert_array_equal(camera.K, [[50, 0, 31.5], [0, 50, 23.5], [0, 0, 1]])
    assert not camera.calibrated


@pytest.mark.parametrize(
    "message",
    [
        info(k=[50.0, 0, 31, 0, 50, 23, 0, 0, 1]),
        info(p=[0.0] * 12),
        info(p=[0.0] * 10 + [1.0, 0.0]),
        info(width=32),
    ],
    ids=["calibrated", "nothing assumed", "only the last row", "another size"],
)
def test_anything_else_is_not(message):
    assert assumed_camera_from_info(message, 64, 48) is None


@pytest.mark.parametrize(
    ("p", "words"),
    [
        ([float("nan")] * 12, "NaN"),
        ([50.0, 0, 31.5, 0, 0, 50, 23.5, 0, 0, 0, 0, 0], "last row of P"),
        ([50.0, 50, 31.5, 0, 50, 50, 23.5, 0, 0, 0, 1, 0], "second row of P begins with 50"),
        ([-50.0, 0, 31.5, 0, 0, 50, 23.5, 0, 0, 0, 1, 0], "P has a focal length of -50 px, impossible for a 64x48"),
        ([50.0, 0, 31.5, 0, 0, 0, 23.5, 0, 0, 0, 1, 0], "P has a focal length of 0 px"),
        ([50.0, 0, 1e6, 0, 0, 50, 23.5, 0, 0, 0, 1, 0], "principal point at 1e\\+06, 23.5"),
    ],
)
def test_an_impossible_assumption_is_one_sentence(p, words):
    with pytest.raises(CameraError, match=words):
        assumed_camera_from_info(info(p=p), 64, 48)
