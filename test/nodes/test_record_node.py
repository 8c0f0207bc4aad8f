"""record_node over real DDS, and as a process that is killed."""

import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import rclpy
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rosbags.highlevel import AnyReader
from rosbags.interfaces import QosDurability, QosReliability
from sensor_msgs.msg import Image
from std_msgs.msg import Header, String

from endo_depth_ros.bags.bag_reader import open_bag
from endo_depth_ros.bags.output import OutputError
from endo_depth_ros.nodes.messages import image_message
from endo_depth_ros.nodes.qos import is_latched
from endo_depth_ros.nodes.record_node import RecordNode
from endo_depth_ros.nodes.runner import StartError
from endo_depth_ros.settings import SettingsError

pytestmark = pytest.mark.ros
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
BEST_EFFORT = QoSProfile(depth=10, reliability=ReliabilityPolicy.BEST_EFFORT)


@pytest.fixture
def output(tmp_path):
    return tmp_path / "out.mcap"


def make_node(output, **parameters):
    overrides = [Parameter(name, value=value) for name, value in parameters.items()]
    return RecordNode(parameter_overrides=[*overrides, Parameter("output", value=str(output))])


def finish(graph, node):
    """End the recording as a signal does."""
    graph.executor.remove_node(node)
    graph.nodes.remove(node)
    node.destroy_node()


def read(output, topic):
    """The messages of a topic, by the rosbags library."""
    with AnyReader([output]) as reader:
        connections = [connection for connection in reader.connections if connection.topic == topic]
        return [reader.deserialize(data, c.msgtype) for c, _, data in reader.messages(connections)]


def test_images_are_recorded_bit_for_bit_and_read_by_another_library(graph, output):
    node = graph.add(make_node(output, topics="/image_raw"))
    images = graph.publisher(Image, "/image_raw")
    graph.wait_matched(images)
    pixels = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
    for index in range(20):
        header = Header(frame_id="scope")
        header.stamp.nanosec = index
        images.publish(image_message(header, pixels + np.uint8(index), "rgb8"))
    graph.wait_for(lambda: node._count == 20, "twenty messages on disk")
    finish(graph, node)
    messages = read(output, "/image_raw")
    assert [message.header.stamp.nanosec for message in messages] == list(range(20))
    for index, message in enumerate(messages):
        assert (message.encoding, message.header.frame_id) == ("rgb8", "scope")
        np.testing.assert_array_equal(message.data.reshape(48, 64, 3), pixels + np.uint8(index))


def test_topics_that_appear_later_are_found_and_others_left_out(graph, output):
    node = graph.add(make_node(output, topics="/wanted.*"))
    late, other = graph.publisher(String, "/wanted/late"), graph.publisher(String, "/other")
    graph.wait_matched(late)
    other.publish(String(data="no"))
    late.publish(String(data="yes"))
    graph.wait_for(lambda: node._count == 1, "the message")
    finish(graph, node)
    with open_bag(output) as bag:
        assert [(topic.name, topic.message_count) for topic in bag.topics] == [("/wanted/late", 1)]
    assert read(output, "/wanted/late")[0].data == "yes"


def test_latched_messages_from_before_are_recorded_with_their_quality_of_service(graph, output):
    publisher = graph.publisher(String, "/latched", LATCHED)
    publisher.publish(String(data="long ago"))
    node = graph.add(make_node(output, topics="/latched"))
    graph.wait_for(lambda: node._count == 1, "the latched message")
    finish(graph, node)
    with open_bag(output) as bag:
        (qos,) = bag.topics[0].qos
    assert (qos.durability, qos.reliability) == (QosDurability.TRANSIENT_LOCAL, QosReliability.RELIABLE)


def test_a_topic_is_subscribed_to_before_its_publisher_comes(graph, output):
    graph.collect(String, "/early")
    node = graph.add(make_node(output, topics="/early"))
    graph.wait_for(lambda: node.count_subscribers("/early") == 2, "the recorder's subscription")
    before = node._recorded["/early"].subscription
    publisher = graph.publisher(String, "/early")
    graph.wait_for(lambda: publisher.get_subscription_count() == 2, "both subscribers")
    publisher.publish(String(data="first"))
    graph.wait_for(lambda: node._count == 1, "the first message")
    assert node._recorded["/early"].subscription is before
    finish(graph, node)
    with open_bag(output) as bag:
        (qos,) = bag.topics[0].qos
    assert (qos.durability, qos.reliability) == (QosDurability.VOLATILE, QosReliability.RELIABLE)


def test_a_latched_message_of_a_publisher_that_comes_later_is_recorded(graph, output):
    graph.collect(String, "/late")
    node = graph.add(make_node(output, topics="/late"))
    graph.wait_for(lambda: node.count_subscribers("/late") == 2, "the recorder's subscription")
    other = rclpy.create_node("other")
    publisher = other.create_publisher(String, "/late", LATCHED)
    publisher.publish(String(data="once"))
    graph.add(other)
    graph.wait_for(lambda: node._count >= 1, "the latched message")
    graph.wait_for(lambda: is_latched(node._recorded["/late"].profile), "the latched subscription")
    finish(graph, node)
    with open_bag(output) as bag:
        (qos,) = bag.topics[0].qos
    assert qos.durability == QosDurability.TRANSIENT_LOCAL


def test_a_best_effort_publisher_that_comes_later_is_recorded(graph, output):
    graph.collect(String, "/late", BEST_EFFORT)
    node = graph.add(make_node(output, topics="/late"))
    graph.wait_for(lambda: node.count_subscribers("/late") == 2, "the recorder's subscription")
    publisher = graph.publisher(String, "/late", BEST_EFFORT)
    graph.wait_for(lambda: publisher.get_subscription_count() == 2, "both subscribers")
    publisher.publish(String(data="also"))
    graph.wait_for(lambda: node._count == 1, "the best-effort message")


def test_a_best_effort_publisher_that_joins_a_reliable_one_is_recorded_too(graph, output):
    reliable = graph.publisher(String, "/mixed")
    node = graph.add(make_node(output, topics="/mixed"))
    graph.wait_matched(reliable)
    second = graph.publisher(String, "/mixed", BEST_EFFORT)
    graph.wait_matched(reliable, second)
    second.publish(String(data="also"))
    graph.wait_for(lambda: node._count == 1, "the best-effort message")


def test_what_exceeds_the_memory_is_counted_and_said(graph, output):
    node = graph.add(make_node(output, topics="/big"))
    node._queue._max_bytes = 10
    publisher = graph.publisher(String, "/big")
    graph.wait_matched(publisher)
    publisher.publish(String(data="x" * 100))
    graph.wait_for(lambda: node._queue.dropped == 1, "a dropped message")
    assert node._complaints.counts == {"dropped": 1}


def test_a_full_disk_ends_the_node_with_an_error(graph, output, monkeypatch):
    node = graph.add(make_node(output, topics="/chatter"))

    def fail(*args):
        raise OutputError("out.mcap: can't be written (No space left on device); free some disk space")

    monkeypatch.setattr(node._writer, "write", fail)
    publisher = graph.publisher(String, "/chatter")
    graph.wait_matched(publisher)
    publisher.publish(String(data="x"))
    graph.wait_for(node.done.done, "the end")
    assert node.done.result() == 1


def test_an_existing_file_is_not_overwritten(graph, output):
    output.write_text("precious")
    with pytest.raises(StartError, match="exists already"):
        make_node(output)
    assert output.read_text() == "precious"


@pytest.mark.parametrize(
    ("parameters", "words"), [({"output": ""}, "give the file to write"), ({"topics": "a(b"}, "no regular expression")]
)
def test_bad_parameters_are_refused_with_the_reason(graph, output, parameters, words):
    with pytest.raises(SettingsError, match=words):
        make_node(parameters.get("output", output), topics=parameters.get("topics", "all"))


def start_recorder(output):
    code = "import sys; from endo_depth_ros.nodes.record_node import main; sys.exit(main())"
    arguments = ["--ros-args", "-p", f"output:={output}", "-p", "topics:=/chatter"]
    return subprocess.Popen([sys.executable, "-c", code, *arguments])


def publish_until(graph, publisher, condition):
    """Publish the time every few milliseconds until the condition holds; returns what was sent and when."""
    sent = []

    def step():
        sent.append(time.monotonic())
        publisher.publish(String(data=str(len(sent) - 1)))
        return condition(sent)

    graph.wait_for(step, "enough messages on disk", deadline_s=40.0)
    return sent


def recorded_count(output):
    try:
        with open_bag(output) as bag:
            return bag.message_count
    except ValueError:
        return 0


def test_a_killed_recorder_loses_less_than_the_last_second(graph, output):
    recorder = start_recorder(output)
    try:
        publisher = graph.publisher(String, "/chatter")
        graph.wait_matched(publisher)
        start_s = time.monotonic()
        sent = publish_until(graph, publisher, lambda sent: sent[-1] - start_s > 3.0)
        killed_s = time.monotonic()
    finally:
        recorder.kill()
        recorder.wait()
    with open_bag(output) as bag:
        assert "ends in mid-recording" in bag.warning
        numbers = [int(bytes(message.data[8:]).rstrip(b"\0")) for message in bag.messages()]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    # Half a second is the writer's promise; the rest is for a machine that is busy with other tests.
    assert killed_s - sent[numbers[-1]] < 1.5


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_closes_the_file_properly(graph, output, number):
    recorder = start_recorder(output)
    try:
        publisher = graph.publisher(String, "/chatter")
        graph.wait_matched(publisher)
        publish_until(graph, publisher, lambda sent: recorded_count(output) > 0)
        recorder.send_signal(number)
        assert recorder.wait(20.0) == 0
    finally:
        recorder.kill()
    with open_bag(output) as bag:
        assert not bag.warning
        assert bag.message_count > 0
