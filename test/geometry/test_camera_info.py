"""Cameras keep what they are through the fields of a CameraInfo."""

from types import SimpleNamespace

import numpy as np
import pytest

from endo_depth_ros.geometry.assumed_camera import assumed_camera_from_info
from endo_depth_ros.geometry.camera import EQUIDISTANT, PLUMB_BOB, Camera, camera_from_info, pinhole_from_hfov
from endo_depth_ros.geometry.camera_info import info_fields

K = np.array([[50.0, 0, 31], [0, 51, 24], [0, 0, 1]])


def message(camera):
    fields = info_fields(camera)
    roi = SimpleNamespace(x_offset=0, y_offset=0, width=0, height=0)
    size = {"width": camera.width, "height": camera.height, "roi": roi, "binning_x": 0, "binning_y": 0}
    arrays = {"d": fields.d, "k": fields.k.ravel(), "r": fields.r.ravel(), "p": fields.p.ravel()}
    return SimpleNamespace(distortion_model=fields.distortion_model, **size, **arrays)


@pytest.mark.parametrize(
    "camera",
    [
        Camera(64, 48, K, P=K),
        Camera(64, 48, K, PLUMB_BOB, np.array([-0.2, 0.1, 0.001, 0.002, 0.0])),
        Camera(64, 48, K, EQUIDISTANT, np.zeros(4), P=0.9 * K + np.diag([0, 0, 0.1])),
    ],
    ids=["pinhole", "distorted without P", "fisheye with P"],
)
def test_a_calibrated_camera_comes_back(camera):
    assert camera_from_info(message(camera), 64, 48) == camera


def test_an_assumed_camera_comes_back_as_assumed():
    camera = pinhole_from_hfov(64, 48, 70.0)
    assert assumed_camera_from_info(message(camera), 64, 48) == camera


def test_a_pinhole_is_told_as_a_model_that_every_reader_knows():
    fields = info_fields(pinhole_from_hfov(64, 48, 70.0))
    assert (fields.distortion_model, fields.d.tolist()) == ("plumb_bob", [0.0] * 5)
