"""True depth of every kind of message, and poses of every kind."""

import numpy as np
import pytest

from endo_depth_ros.bags.bag_writer import BagWriter
from endo_depth_ros.bags.messages import TYPESTORE, make_color_image, make_depth_image, make_header, make_transforms
from endo_depth_ros.bags.source import SourceError
from endo_depth_ros.runs.truth_topics import TruthTopics, decode_depth, read_truth_topics

DEPTH = np.array([[0.01, 0.02, np.nan], [0.5, 0.065, 0.0]], np.float32)
T = np.array([[0, -1, 0, 0.1], [1, 0, 0, 0.2], [0, 0, 1, 0.3], [0, 0, 0, 1.0]])


def image(encoding, data, step, bigendian=0):
    return TYPESTORE.types["sensor_msgs/msg/Image"](
        make_header(5, "scope"), 2, 3, encoding, bigendian, step, np.frombuffer(data, np.uint8)
    )


@pytest.mark.parametrize(("order", "bigendian"), [("<", 0), (">", 1)])
@pytest.mark.parametrize("padding", [0, 4])
def test_millimetres_and_metres_are_read_in_either_byte_order_with_padded_rows(order, bigendian, padding):
    levels = np.array([[10, 20, 0], [500, 65, 0]], f"{order}u2")
    for encoding, values in (("16UC1", levels), ("32FC1", DEPTH.astype(f"{order}f4"))):
        rows = b"".join(row.tobytes() + bytes(padding) for row in values)
        depth = decode_depth(image(encoding, rows, len(rows) // 2, bigendian), "/t")
        np.testing.assert_allclose(depth, np.where(DEPTH > 0, DEPTH, np.nan), rtol=1e-6)


def test_an_image_that_is_no_depth_is_a_sentence():
    with pytest.raises(SourceError, match="/t is rgb8, no depth"):
        decode_depth(image("rgb8", bytes(18), 9), "/t")
    with pytest.raises(SourceError, match="don't make"):
        decode_depth(image("32FC1", bytes(18), 9), "/t")


def pose_message(kind):
    types, x = TYPESTORE.types, np.sqrt(0.5)
    pose = types["geometry_msgs/msg/Pose"](
        types["geometry_msgs/msg/Point"](0.1, 0.2, 0.3), types["geometry_msgs/msg/Quaternion"](0.0, 0.0, x, x)
    )
    covered = types["geometry_msgs/msg/PoseWithCovariance"](pose, np.zeros(36))
    if kind == "tf":
        return make_transforms(5, "world", "scope", T)
    if kind == "PoseStamped":
        return types["geometry_msgs/msg/PoseStamped"](make_header(5, "world"), pose)
    if kind == "Odometry":
        vector = types["geometry_msgs/msg/Vector3"](0.0, 0.0, 0.0)
        twist = types["geometry_msgs/msg/Twist"](vector, vector)
        still = types["geometry_msgs/msg/TwistWithCovariance"](twist, np.zeros(36))
        return types["nav_msgs/msg/Odometry"](make_header(5, "world"), "scope", covered, still)
    return types["geometry_msgs/msg/PoseWithCovarianceStamped"](make_header(5, "world"), covered)


@pytest.mark.parametrize("kind", ["tf", "PoseStamped", "Odometry", "PoseWithCovarianceStamped"])
def test_poses_of_every_kind_of_message_map_points_of_the_camera_into_the_world(tmp_path, kind):
    topic = "/tf" if kind == "tf" else "/pose"
    with BagWriter(tmp_path / "b.mcap") as writer:
        writer.write_message(topic, 1, pose_message(kind))
        writer.write_message("/truth/depth", 2, make_depth_image(5, "scope", DEPTH))
    topics = TruthTopics(pose="" if kind == "tf" else topic)
    (truth,) = read_truth_topics(tmp_path / "b.mcap", topics)
    np.testing.assert_allclose(truth.T_world_camera, T, atol=1e-9)
    assert truth.camera is None


def test_transforms_of_other_frames_are_no_poses_of_the_camera(tmp_path):
    with BagWriter(tmp_path / "b.mcap") as writer:
        writer.write_message("/tf", 1, make_transforms(5, "world", "tool", T))
        writer.write_message("/truth/depth", 2, make_depth_image(5, "scope", DEPTH))
    (truth,) = read_truth_topics(tmp_path / "b.mcap", TruthTopics())
    assert truth.T_world_camera is None


def test_a_pose_topic_that_is_not_there_is_a_sentence(tmp_path):
    with BagWriter(tmp_path / "b.mcap") as writer:
        writer.write_message("/truth/depth", 2, make_depth_image(5, "scope", DEPTH))
    with pytest.raises(SourceError, match="give --truth-pose"):
        list(read_truth_topics(tmp_path / "b.mcap", TruthTopics(pose="/pose")))


def test_poses_of_other_stamps_than_depth_are_truth_too(tmp_path):
    with BagWriter(tmp_path / "b.mcap") as writer:
        writer.write_message("/truth/depth", 2, make_depth_image(5, "scope", DEPTH))
        for stamp_ns in (3, 5, 8):
            writer.write_message("/tf", stamp_ns, make_transforms(stamp_ns, "world", "scope", T))
        writer.write_message("/tf", 9, make_transforms(9, "world", "tool", T))
    truths = list(read_truth_topics(tmp_path / "b.mcap", TruthTopics()))
    assert [(truth.stamp_ns, truth.depth is not None) for truth in truths] == [(5, True), (3, False), (8, False)]
    assert all(truth.T_world_camera is not None for truth in truths)


def test_a_bag_with_poses_alone_is_truth_only_where_they_are_named(tmp_path):
    image = np.zeros((4, 4, 3), np.uint8)
    with BagWriter(tmp_path / "b.mcap") as writer:
        writer.write_message("/image_raw", 5, make_color_image(5, "scope", image))
        writer.write_message("/tf", 5, make_transforms(5, "world", "scope", T))
    with pytest.raises(SourceError, match="--truth-pose TOPIC where only poses are known"):
        list(read_truth_topics(tmp_path / "b.mcap", TruthTopics(), "/image_raw"))
    (truth,) = read_truth_topics(tmp_path / "b.mcap", TruthTopics(pose="/tf"), "/image_raw")
    assert truth.depth is None
    np.testing.assert_allclose(truth.T_world_camera, T, atol=1e-9)


@pytest.mark.parametrize("other", ["a second parent", "a parent that moves"])
def test_transforms_that_are_not_in_one_world_are_no_truth(tmp_path, other, caplog):
    with BagWriter(tmp_path / "b.mcap") as writer:
        writer.write_message("/tf", 1, make_transforms(5, "arm", "scope", T))
        pair = ("odom", "scope") if other == "a second parent" else ("world", "arm")
        writer.write_message("/tf", 2, make_transforms(5, *pair, T))
        writer.write_message("/truth/depth", 3, make_depth_image(5, "scope", DEPTH))
    (truth,) = read_truth_topics(tmp_path / "b.mcap", TruthTopics())
    assert truth.T_world_camera is None
    assert truth.depth is not None
    assert "give --truth-pose a topic of poses in one world" in caplog.text


def test_poses_that_are_none_leave_the_rest_of_the_truth(tmp_path, caplog):
    broken = T.copy()
    broken[0, 3] = np.nan
    with BagWriter(tmp_path / "b.mcap") as writer:
        for stamp_ns, pose in ((5, broken), (6, T)):
            writer.write_message("/tf", stamp_ns, make_transforms(stamp_ns, "world", "scope", pose))
            writer.write_message("/truth/depth", stamp_ns, make_depth_image(stamp_ns, "scope", DEPTH))
    first, second = read_truth_topics(tmp_path / "b.mcap", TruthTopics())
    assert first.T_world_camera is None
    assert second.T_world_camera is not None
    assert "1 poses with NaN" in caplog.text
