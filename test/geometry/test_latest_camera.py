"""A camera is made anew only where the calibration changes."""

from types import SimpleNamespace

import pytest

from endo_depth_ros.geometry.camera import CameraError, camera_from_info
from endo_depth_ros.geometry.latest_camera import LatestCamera


def info(focal: float) -> SimpleNamespace:
    roi = SimpleNamespace(x_offset=0, y_offset=0, width=0, height=0)
    k, r = [focal, 0, 16, 0, focal, 12, 0, 0, 1], [0] * 9
    return SimpleNamespace(
        width=32, height=24, distortion_model="", d=[], k=k, r=r, p=[0] * 12, roi=roi, binning_x=0, binning_y=0
    )


def test_the_same_calibration_gives_the_same_camera_and_another_another() -> None:
    cameras = LatestCamera(camera_from_info)
    first = cameras.of(info(30.0), 32, 24)
    assert cameras.of(info(30.0), 32, 24) is first
    assert cameras.of(info(31.0), 32, 24).K[0, 0] == 31
    assert cameras.of(info(30.0), 32, 24) == first


def test_a_calibration_of_another_size_is_refused_also_after_a_good_one() -> None:
    cameras = LatestCamera(camera_from_info)
    cameras.of(info(30.0), 32, 24)
    for _ in range(2):
        with pytest.raises(CameraError, match="describes a 32x24 image"):
            cameras.of(info(30.0), 64, 48)
