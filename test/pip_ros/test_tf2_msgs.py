"""tf2_msgs is the real one on the wire: its type hash, its bytes, a trip over DDS."""

from __future__ import annotations

import pytest
from geometry_msgs.msg import TransformStamped
from rclpy.serialization import deserialize_message, serialize_message
from rosbags.typesys import Stores, get_typestore
from tf2_msgs.action import LookupTransform
from tf2_msgs.msg import TF2Error, TFMessage
from tf2_msgs.srv import FrameGraph

TYPES = get_typestore(Stores.ROS2_JAZZY)


def make_message() -> TFMessage:
    """Two transforms with values in every field."""
    message = TFMessage()
    for index in (1, 2):
        transform = TransformStamped()
        transform.header.stamp.sec, transform.header.stamp.nanosec = index, 500_000_000 + index
        transform.header.frame_id, transform.child_frame_id = "odom", f"camera_{index}"
        transform.transform.translation.x = 0.25 * index
        transform.transform.rotation.z, transform.transform.rotation.w = 0.6, 0.8
        message.transforms.append(transform)
    return message


@pytest.mark.ros
@pytest.mark.parametrize("message_type", [TFMessage, TF2Error])
def test_type_hash_on_the_graph_is_the_one_of_the_official_definition(graph, message_type: type) -> None:
    publisher = graph.publisher(message_type, "hashed")
    infos = graph.wait_for(lambda: graph.node.get_publishers_info_by_topic("/hashed"), "the publisher on the graph")
    assert str(infos[0].topic_type_hash) == TYPES.hash_rihs01(f"tf2_msgs/msg/{message_type.__name__}")
    graph.node.destroy_publisher(publisher)


def test_bytes_read_by_rosbags_hold_the_same_transforms() -> None:
    message = make_message()
    read = TYPES.deserialize_cdr(serialize_message(message), "tf2_msgs/msg/TFMessage")
    assert [each.child_frame_id for each in read.transforms] == ["camera_1", "camera_2"]
    assert read.transforms[1].header.stamp.nanosec == 500_000_002
    assert read.transforms[1].transform.translation.x == 0.5
    # Not byte by byte: what stands in the padding of CDR is nobody's.
    written = bytes(TYPES.serialize_cdr(read, "tf2_msgs/msg/TFMessage"))
    assert len(written) == len(serialize_message(message))
    assert deserialize_message(written, TFMessage) == message


def test_message_survives_serialisation() -> None:
    message = make_message()
    assert deserialize_message(serialize_message(message), TFMessage) == message


@pytest.mark.ros
def test_message_arrives_over_dds_as_it_was_sent(graph) -> None:
    received = graph.collect(TFMessage, "tf")
    publisher = graph.publisher(TFMessage, "tf")
    graph.wait_matched(publisher)
    publisher.publish(make_message())
    graph.wait_for(lambda: received, "the message")
    assert received[0] == make_message()


def test_error_codes_are_the_official_ones() -> None:
    assert [TF2Error.NO_ERROR, TF2Error.LOOKUP_ERROR, TF2Error.CONNECTIVITY_ERROR] == [0, 1, 2]
    assert [TF2Error.EXTRAPOLATION_ERROR, TF2Error.INVALID_ARGUMENT_ERROR] == [3, 4]
    assert [TF2Error.TIMEOUT_ERROR, TF2Error.TRANSFORM_ERROR] == [5, 6]


def test_service_and_action_are_there() -> None:
    assert FrameGraph.Response(frame_yaml="odom: {}").frame_yaml == "odom: {}"
    assert LookupTransform.Result().error.error == TF2Error.NO_ERROR
