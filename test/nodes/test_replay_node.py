"""replay_node over real DDS."""

import numpy as np
import pytest
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image
from std_srvs.srv import SetBool
from synthetic_media import FRAME_ID, LATCHED, PERIOD_NS, START_NS, calibrated_camera, make_image, write_bag
from tf2_msgs.msg import TFMessage

from endo_depth_ros.bags.bag import BagTopic
from endo_depth_ros.bags.bag_writer import BagWriter
from endo_depth_ros.bags.messages import make_color_image, make_transforms
from endo_depth_ros.nodes import replay_node
from endo_depth_ros.nodes.replay_node import ReplayNode
from endo_depth_ros.nodes.runner import StartError
from endo_depth_ros.settings import SettingsError

pytestmark = pytest.mark.ros


def make_node(path, *options, **parameters):
    parameters = {"wait_for_subscribers": "/image_raw", **parameters}
    overrides = [Parameter(name, value=value) for name, value in parameters.items()]
    overrides.append(Parameter("bag", value=str(path)))
    return ReplayNode(parameter_overrides=overrides, cli_args=list(options) or None)


def stamp_ns(message):
    return message.header.stamp.sec * 10**9 + message.header.stamp.nanosec


def clock_ns(message):
    return message.clock.sec * 10**9 + message.clock.nanosec


@pytest.fixture
def bag(tmp_path):
    return write_bag(tmp_path / "bag.mcap", 10, calibrated_camera())


def test_every_message_arrives_unchanged_and_the_node_ends(graph, bag):
    images, infos = graph.collect(Image, "/image_raw"), graph.collect(CameraInfo, "/camera_info")
    node = graph.add(make_node(bag, wait_for_subscribers="/image_raw, /camera_info"))
    graph.wait_for(lambda: node.done.done() and len(images) == len(infos) == 10, "all messages and the end")
    assert node.done.result() == 0
    for index, message in enumerate(images):
        assert (stamp_ns(message), message.header.frame_id) == (START_NS + index * PERIOD_NS, FRAME_ID)
        np.testing.assert_array_equal(np.frombuffer(message.data, np.uint8), make_image(index).ravel())


def test_the_clock_runs_from_the_first_message_and_never_past_the_last(graph, bag):
    graph.collect(Image, "/image_raw")
    clocks = graph.collect(Clock, "/clock", 1000)
    node = graph.add(make_node(bag, wait_for_subscribers="/image_raw", rate=0.5))
    graph.wait_for(node.done.done, "the end")
    times_ns = [clock_ns(message) for message in clocks]
    assert times_ns == sorted(times_ns)
    assert times_ns[0] >= START_NS
    assert times_ns[-1] <= START_NS + 9 * PERIOD_NS
    assert len(times_ns) > 20


def test_a_loop_jumps_back(graph, bag):
    images, clocks = graph.collect(Image, "/image_raw", 100), graph.collect(Clock, "/clock", 1000)
    graph.add(make_node(bag, loop=True, rate=10.0))
    graph.wait_for(lambda: len(images) > 25, "the third round")
    assert sum(np.diff([clock_ns(m) for m in clocks]) < 0) >= 2
    assert [stamp_ns(m) for m in images[:20]] == 2 * [START_NS + i * PERIOD_NS for i in range(10)]


def test_replay_starts_at_the_offset_and_with_the_chosen_topics(graph, bag):
    images, infos = graph.collect(Image, "/image_raw"), graph.collect(CameraInfo, "/camera_info")
    node = graph.add(make_node(bag, start_offset_s=0.2, topics="/image_.*"))
    graph.wait_for(lambda: node.done.done() and len(images) == 5, "the second half")
    assert stamp_ns(images[0]) == START_NS + 5 * PERIOD_NS
    assert infos == []


def test_pause_holds_everything_until_it_is_taken_back(graph, bag):
    images, clocks = graph.collect(Image, "/image_raw"), graph.collect(Clock, "/clock", 1000)
    node = graph.add(make_node(bag, paused=True))
    pause = graph.node.create_client(SetBool, "/replay_node/pause")
    graph.wait_for(lambda: len(clocks) > 20, "a standing clock")
    assert images == []
    assert {clock_ns(message) for message in clocks} == {START_NS}
    graph.wait_for(pause.service_is_ready, "the service")
    answer = pause.call_async(SetBool.Request(data=False))
    graph.wait_for(lambda: node.done.done() and len(images) == 10, "all images")
    assert answer.result().success


def test_a_replay_whose_next_event_is_far_can_be_stopped(graph, bag):
    graph.collect(Image, "/image_raw")
    clocks = graph.collect(Clock, "/clock")
    node = graph.add(make_node(bag, paused=True, clock_rate_hz=0.01, wait_for_subscribers="/image_raw"))
    graph.wait_for(lambda: clocks, "the first of two clock messages in 100 s")
    node._worker.stop_event.set()
    graph.wait_for(node.done.done, "the end")


def write_bag_with_static_transforms(path):
    """Three static transforms, each latched by a publisher of its own, then three images 50 ms apart."""
    with BagWriter(path) as writer:
        for index in range(3):
            message = make_transforms(index, "base", f"part_{index}", np.eye(4))
            writer.write_message("/tf_static", 10**9 + index, message, [LATCHED])
        for index in range(3):
            image = make_color_image(index, "c", make_image(index))
            writer.write_message("/image_raw", 10**9 + index * 50_000_000, image)
    return path


@pytest.mark.parametrize("start_offset_s", [0.0, 0.04])
def test_latched_transforms_reach_late_subscribers_and_starts_in_the_middle(graph, tmp_path, start_offset_s):
    path = write_bag_with_static_transforms(tmp_path / "bag.mcap")
    graph.add(make_node(path, loop=True, start_offset_s=start_offset_s))
    graph.collect(Image, "/image_raw")
    qos = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    transforms = graph.collect(TFMessage, "/tf_static", qos)
    graph.wait_for(lambda: len({m.transforms[0].child_frame_id for m in transforms}) == 3, "all three transforms")


def test_topics_can_be_remapped(graph, bag):
    images = graph.collect(Image, "/other")
    options = ("--ros-args", "-r", "/image_raw:=/other")
    node = graph.add(make_node(bag, *options, wait_for_subscribers="/image_raw"))
    graph.wait_for(lambda: node.done.done() and len(images) == 10, "all images under the other name")


def test_a_clock_in_the_bag_is_not_replayed(graph, tmp_path):
    path = tmp_path / "bag.mcap"
    with BagWriter(path) as writer:
        writer.add_topic(BagTopic("/clock", "rosgraph_msgs/msg/Clock"))
        writer.write("/clock", 10**9, b"\x00\x01\x00\x00" + bytes(8))
        writer.write_message("/image_raw", 10**9, make_color_image(1, "c", make_image(0)))
    clocks = graph.collect(Clock, "/clock")
    graph.collect(Image, "/image_raw")
    node = graph.add(make_node(path))
    graph.wait_for(lambda: node.done.done() and clocks, "the end")
    assert {clock_ns(message) for message in clocks} == {10**9}


def test_an_unknown_type_is_left_out_and_the_rest_replayed(graph, tmp_path):
    path = tmp_path / "bag.mcap"
    with BagWriter(path) as writer:
        writer.add_topic(BagTopic("/strange", "acme_msgs/msg/Thing"))
        writer.write("/strange", 1, b"\x00\x01\x00\x00")
        writer.write_message("/image_raw", 2, make_color_image(2, "c", make_image(0)))
    images = graph.collect(Image, "/image_raw")
    node = graph.add(make_node(path))
    graph.wait_for(lambda: node.done.done() and images, "the image")
    assert [topic.name for topic in node._publishers_by_topic] == ["/image_raw"]


def test_waiting_in_vain_for_a_subscriber_ends_with_an_error(graph, bag):
    node = graph.add(make_node(bag, wait_timeout_s=0.1))
    graph.wait_for(node.done.done, "the end")
    assert node.done.result() == 1


def test_waiting_in_vain_for_a_node_names_it(graph, bag, capfd):
    graph.collect(Image, "/image_raw")
    node = graph.add(make_node(bag, wait_timeout_s=0.1, wait_for_node="depth_node"))
    graph.wait_for(node.done.done, "the end")
    assert node.done.result() == 1
    assert "/image_raw: depth_node did not subscribe within 0.1 s; start depth_node" in capfd.readouterr().err


def test_a_topic_whose_subscriber_falls_behind_is_named(graph, bag, monkeypatch, capfd):
    monkeypatch.setattr(replay_node, "wait_acknowledged", lambda publishers, *_: [p.topic_name for p in publishers][:1])
    graph.collect(Image, "/image_raw")
    node = graph.add(make_node(bag, rate=10.0))
    graph.wait_for(node.done.done, "the end")
    assert "/image_raw: not every subscriber received the last messages" in capfd.readouterr().err


def test_an_offset_that_no_bag_has_is_refused(graph, bag):
    with pytest.raises(SettingsError, match="start_offset_s"):
        make_node(bag, start_offset_s=1e300)


def test_an_offset_behind_the_end_ends_with_an_error(graph, bag):
    graph.collect(Image, "/image_raw")
    node = graph.add(make_node(bag, start_offset_s=100.0))
    graph.wait_for(node.done.done, "the end")
    assert node.done.result() == 1


@pytest.mark.parametrize("content", [None, b"", b"nonsense"])
def test_a_bad_bag_stops_the_start_with_one_sentence(graph, tmp_path, content):
    path = tmp_path / "bag.mcap"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StartError, match=r"bag\.mcap"):
        make_node(path)


def test_topics_that_are_not_in_the_bag_stop_the_start(graph, bag):
    with pytest.raises(StartError, match="nothing to replay with topics '/none'; it has /image_raw, /camera_info"):
        make_node(bag, topics="/none")


def test_a_topic_to_wait_for_that_is_not_in_the_bag_is_answered_with_those_that_are(graph, bag, capfd):
    node = graph.add(make_node(bag, wait_for_subscribers="/cam/image_raw"))
    graph.wait_for(node.done.done, "the end")
    assert node.done.result() == 1
    error = capfd.readouterr().err
    assert "/cam/image_raw is not replayed" in error
    assert "one of: /camera_info, /image_raw" in error
