"""What was published is read back as it was."""

import numpy as np
import pytest

from endo_depth_ros.bags.bag_writer import BagWriter
from endo_depth_ros.bags.messages import TYPESTORE, make_camera_info, make_color_image, make_depth_image, make_header
from endo_depth_ros.evaluation.recording import read_recording, read_truth
from endo_depth_ros.geometry.camera import Camera

CAMERA = Camera(5, 4, np.array([[10.0, 0, 2], [0, 10, 1.5], [0, 0, 1]]))


def status(stamp_ns, **values):
    types = TYPESTORE.types
    pairs = [types["diagnostic_msgs/msg/KeyValue"](key, value) for key, value in values.items()]
    one = types["diagnostic_msgs/msg/DiagnosticStatus"](0, "depth", "", "", pairs)
    return types["diagnostic_msgs/msg/DiagnosticArray"](make_header(stamp_ns, "scope"), [one])


@pytest.fixture
def bag(tmp_path):
    depth = np.arange(20, dtype=np.float32).reshape(4, 5)
    depth[0, 0], depth[0, 1] = np.nan, np.inf
    image = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    path = tmp_path / "b.mcap"
    with BagWriter(path) as writer:
        writer.write_message("/depth/status", 20, status(20, verdict="dark"))
        writer.write_message("/depth/image_rect", 11, make_depth_image(10, "scope", depth))
        writer.write_message("/rgb/image_rect", 12, make_color_image(10, "scope", image))
        writer.write_message("/depth/camera_info", 13, make_camera_info(10, "scope", CAMERA))
        writer.write_message("/depth/status", 14, status(10, verdict="ok"))
        writer.write_message("/depth/image_rect", 31, make_depth_image(30, "scope", depth))
        writer.write_message("/truth/depth", 10, make_depth_image(10, "scope", depth))
        writer.write_message("/truth/camera_info", 10, make_camera_info(10, "scope", CAMERA))
    return path, depth, image


def test_messages_of_one_stamp_are_one_frame_and_frames_are_in_order(bag):
    path, depth, image = bag
    first, second = read_recording(path)
    assert (first.stamp_ns, first.status, second.stamp_ns) == (10, {"verdict": "ok"}, 20)
    np.testing.assert_array_equal(first.depth, depth)
    np.testing.assert_array_equal(first.image, image)
    np.testing.assert_allclose(first.camera.K, CAMERA.K)
    assert second.depth is None


def test_truth_comes_with_its_camera(bag):
    path, depth, _ = bag
    truth = read_truth(path)
    np.testing.assert_array_equal(truth[10][0], depth)
    np.testing.assert_allclose(truth[10][1].K, CAMERA.K)
