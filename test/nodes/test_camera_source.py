"""Which camera an image was taken with."""

import pytest
from sensor_msgs.msg import CameraInfo

from endo_depth_ros.geometry.camera import CameraError
from endo_depth_ros.nodes.camera_source import CameraSource, MissingCameraError


def info(stamp_s=0, f=100.0, width=64, height=48):
    message = CameraInfo(width=width, height=height, k=[f, 0.0, 31.5, 0.0, f, 23.5, 0.0, 0.0, 1.0])
    message.header.stamp.sec = stamp_s
    return message


def test_the_calibration_of_the_images_own_stamp_comes_first():
    source = CameraSource(0.0)
    source.update(info(1, f=100.0))
    source.update(info(2, f=200.0))
    assert source.camera_of(10**9, 64, 48).K[0, 0] == 100.0
    assert source.camera_of(5 * 10**9, 64, 48).K[0, 0] == 200.0


def test_the_same_calibration_is_the_same_camera_object():
    source = CameraSource(0.0)
    source.update(info(1))
    first = source.camera_of(10**9, 64, 48)
    source.update(info(2))
    assert source.camera_of(2 * 10**9, 64, 48) is first


def test_without_calibration_the_sentence_says_what_to_do():
    with pytest.raises(MissingCameraError, match="no CameraInfo yet; .*hfov_deg"):
        CameraSource(0.0).camera_of(0, 64, 48)


def test_an_uncalibrated_camera_takes_the_assumed_field_of_view():
    source = CameraSource(90.0)
    source.update(CameraInfo(width=64, height=48))
    camera = source.camera_of(0, 64, 48)
    assert camera.K[0, 0] == pytest.approx(32.0)
    assert not camera.calibrated


def test_an_assumed_field_of_view_makes_up_for_an_impossible_projection():
    source = CameraSource(90.0)
    unit_p = [1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    source.update(CameraInfo(width=64, height=48, p=unit_p))
    assert source.camera_of(0, 64, 48).K[0, 0] == pytest.approx(32.0)


def test_an_uncalibrated_camera_without_assumption_is_refused():
    source = CameraSource(0.0)
    source.update(CameraInfo(width=64, height=48))
    with pytest.raises(MissingCameraError, match="uncalibrated"):
        source.camera_of(0, 64, 48)


def test_a_calibration_beats_the_assumption():
    source = CameraSource(90.0)
    source.update(info(1, f=77.0))
    camera = source.camera_of(0, 64, 48)
    assert camera.K[0, 0] == 77.0
    assert camera.calibrated


@pytest.mark.parametrize(
    ("message", "complaint"),
    [
        (info(f=float("nan")), "NaN"),
        (info(width=128, height=96), "describes a 128x96 image but the image is 64x48"),
        (info(f=-5.0), "K is zero|focal"),
    ],
)
def test_an_unusable_calibration_is_refused_with_the_reason(message, complaint):
    source = CameraSource(90.0)
    source.update(message)
    with pytest.raises(CameraError, match=complaint):
        source.camera_of(0, 64, 48)
