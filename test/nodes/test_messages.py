"""Core objects on the wire."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sensor_msgs.msg import PointField
from std_msgs.msg import Header

from endo_depth_ros.contracts import FrameStatus, Scale, ScaleState, Verdict
from endo_depth_ros.geometry.camera import Camera
from endo_depth_ros.nodes.messages import (
    camera_info_message,
    depth_in_millimetres,
    image_message,
    points_message,
    rectified_camera_info_message,
    status_message,
)

HEADER = Header(frame_id="scope")


def values(status):
    return {pair.key: pair.value for pair in status.values}


def test_a_float_image_keeps_every_bit():
    depth = np.array([[0.05, np.nan, -np.inf], [np.inf, 0.0, 1e-9]], np.float32)
    message = image_message(HEADER, depth, "32FC1")
    assert (message.height, message.width, message.step, message.encoding) == (2, 3, 12, "32FC1")
    assert bytes(message.data) == depth.tobytes()


def test_a_colour_image_that_is_a_view_is_packed():
    image = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)[:, ::2]
    message = image_message(HEADER, image, "rgb8")
    assert message.step == 9
    assert bytes(message.data) == image.tobytes()


@given(st.floats(0.001, 65.0))
def test_millimetres_are_rounded(depth_m):
    mm = depth_in_millimetres(np.array([[depth_m]], np.float32))
    assert abs(int(mm[0, 0]) - 1000 * depth_m) <= 0.51


def test_what_is_no_depth_is_zero_millimetres():
    depth = np.array([[np.nan, np.inf, -np.inf, 70.0, 0.0001, -1.0]], np.float32)
    assert depth_in_millimetres(depth).tolist() == [[0] * 6]


def test_camera_info_is_a_rectified_pinhole():
    K = np.array([[100.0, 0, 31.5], [0, 110, 23.5], [0, 0, 1]])
    message = rectified_camera_info_message(HEADER, Camera(64, 48, K, calibrated=False))
    assert (message.width, message.height) == (64, 48)
    assert not any(message.d)
    assert np.array_equal(np.reshape(message.k, (3, 3)), K)
    assert np.array_equal(np.reshape(message.r, (3, 3)), np.eye(3))
    assert np.array_equal(np.reshape(message.p, (3, 4)), np.column_stack([K, np.zeros(3)]))


def test_an_uncalibrated_raw_camera_says_so_and_keeps_its_assumption():
    K = np.array([[100.0, 0, 31.5], [0, 110, 23.5], [0, 0, 1]])
    message = camera_info_message(HEADER, Camera(64, 48, K, calibrated=False))
    assert not any(message.k)
    assert np.array_equal(np.reshape(message.p, (3, 4))[:, :3], K)


def test_points_say_how_they_are_laid_out():
    layout = np.dtype([("x", "f4"), ("y", "f4"), ("z", "f4"), ("rgb", "u4")])
    dense, organised = np.zeros(5, layout), np.zeros((2, 3), layout)
    message = points_message(HEADER, dense)
    assert (message.height, message.width, message.point_step, message.row_step) == (1, 5, 16, 80)
    assert [(f.name, f.offset, f.datatype) for f in message.fields] == [
        ("x", 0, PointField.FLOAT32),
        ("y", 4, PointField.FLOAT32),
        ("z", 8, PointField.FLOAT32),
        ("rgb", 12, PointField.FLOAT32),
    ]
    assert message.is_dense
    message = points_message(HEADER, organised)
    assert (message.height, message.width, message.is_dense) == (2, 3, False)


def test_an_empty_cloud_is_a_message_too():
    layout = np.dtype([("x", "f4"), ("y", "f4"), ("z", "f4"), ("rgb", "u4")])
    message = points_message(HEADER, np.zeros(0, layout))
    assert (message.width, len(message.data)) == (0, 0)


def test_status_levels_follow_verdict_and_scale():
    metric = Scale(ScaleState.METRIC, 0.5)
    good = status_message(HEADER, FrameStatus(0, Verdict.OK, scale=metric), {}).status[0]
    relative = status_message(HEADER, FrameStatus(0, Verdict.OK), {}).status[0]
    dark = status_message(HEADER, FrameStatus(0, Verdict.DARK, "85% dark", scale=metric), {}).status[0]
    assert [s.level for s in (good, relative, dark)] == [b"\x00", b"\x01", b"\x02"]
    assert dark.message == "85% dark"


def test_status_carries_the_documented_keys():
    message = status_message(HEADER, FrameStatus(0, Verdict.OK, coverage=0.5), {"latency_ms": "3.00"})
    assert message.header.frame_id == "scope"
    keys = values(message.status[0])
    assert list(keys) == [
        "schema_version",
        "verdict",
        "reason",
        "coverage",
        "scale_state",
        "scale",
        "scale_sigma",
        "scale_epoch",
        "calibrated",
        "field_of_view",
        "model",
        "steadiness",
        "latency_ms",
    ]
    assert keys["coverage"] == "0.5000"
