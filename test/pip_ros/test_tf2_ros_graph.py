"""The contract of tf2_ros on a live graph: the same for the official package and for the stand-in."""

import os

import pytest
import rclpy
import tf2_ros
from geometry_msgs.msg import TransformStamped
from rclpy.duration import Duration
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, ReliabilityPolicy
from rclpy.time import Time
from rosgraph_msgs.msg import Clock
from tf2_msgs.msg import TFMessage

LATEST = Time()

pytestmark = pytest.mark.ros
newer_than_humble = pytest.mark.skipif(
    os.environ.get("ROS_DISTRO") == "humble", reason="Humble's Python tf2_ros does not do this"
)


def transform(parent: str, child: str, x: float = 0.0, sec: int = 1) -> TransformStamped:
    message = TransformStamped()
    message.header.stamp.sec = sec
    message.header.frame_id, message.child_frame_id = parent, child
    message.transform.translation.x = x
    message.transform.rotation.w = 1.0
    return message


@pytest.fixture
def heard(graph):
    """Return a buffer with a listener on a node of its own, in the test's executor."""
    buffer = tf2_ros.Buffer()
    buffer.listener = tf2_ros.TransformListener(buffer, graph.add(rclpy.create_node("listener")))
    return buffer


def test_what_is_broadcast_can_be_looked_up(graph, heard):
    broadcaster = tf2_ros.TransformBroadcaster(graph.node)
    graph.wait_matched(broadcaster.pub_tf)
    broadcaster.sendTransform(transform("odom", "camera", x=0.25, sec=3))
    graph.wait_for(lambda: heard.can_transform("odom", "camera", LATEST))
    message = heard.lookup_transform("odom", "camera", LATEST)
    assert message.transform.translation.x == 0.25
    assert message.header.stamp.sec == 3


@pytest.mark.parametrize("several", [list, tuple, iter])
def test_several_transforms_go_in_one_message(graph, several):
    messages = graph.collect(TFMessage, "/tf")
    broadcaster = tf2_ros.TransformBroadcaster(graph.node)
    graph.wait_matched(broadcaster.pub_tf)
    broadcaster.sendTransform(several([transform("a", "b"), transform("b", "c")]))
    graph.wait_for(lambda: messages)
    assert [one.child_frame_id for one in messages[0].transforms] == ["b", "c"]


def test_a_late_listener_gets_static_transforms(graph):
    mounts = [transform("base", "camera", 0.5), transform("base", "lamp")]
    tf2_ros.StaticTransformBroadcaster(graph.node).sendTransform(mounts)
    buffer = tf2_ros.Buffer()
    listener = tf2_ros.TransformListener(buffer, graph.add(rclpy.create_node("late")))
    graph.wait_for(lambda: buffer.can_transform("lamp", "camera", LATEST))
    assert buffer.lookup_transform("lamp", "camera", Time(seconds=99)).transform.translation.x == 0.5
    assert listener.buffer is buffer


@newer_than_humble
def test_static_broadcaster_repeats_all_frames_and_keeps_the_first_of_each(graph):
    messages = graph.collect(TFMessage, "/tf_static")
    broadcaster = tf2_ros.StaticTransformBroadcaster(graph.node)
    graph.wait_matched(broadcaster.pub_tf)
    for sent, count in ((transform("a", "b", 1.0), 1), (transform("a", "c", 2.0), 2), (transform("a", "b", 3.0), 3)):
        broadcaster.sendTransform(sent)
        graph.wait_for(lambda count=count: len(messages) == count)
    latest = [(one.child_frame_id, one.transform.translation.x) for one in messages[-1].transforms]
    assert latest == [("b", 1.0), ("c", 2.0)]


def test_topics_are_absolute_reliable_and_static_ones_latched(graph):
    node = graph.add(rclpy.create_node("broadcaster", namespace="endoscope"))
    made = tf2_ros.TransformBroadcaster(node), tf2_ros.StaticTransformBroadcaster(node)
    for topic, durability in (("/tf", DurabilityPolicy.VOLATILE), ("/tf_static", DurabilityPolicy.TRANSIENT_LOCAL)):
        (info,) = graph.wait_for(lambda topic=topic: graph.node.get_publishers_info_by_topic(topic))
        assert info.qos_profile.durability == durability
        assert info.qos_profile.reliability == ReliabilityPolicy.RELIABLE
    assert [broadcaster.pub_tf.topic_name for broadcaster in made] == ["/tf", "/tf_static"]


def test_an_unregistered_listener_is_gone(graph, heard):
    graph.wait_for(lambda: graph.node.count_subscribers("/tf") == 1)
    heard.listener.unregister()
    graph.wait_for(lambda: graph.node.count_subscribers("/tf") + graph.node.count_subscribers("/tf_static") == 0)


def test_a_listener_with_its_own_thread_lets_the_caller_wait(graph):
    node, buffer = rclpy.create_node("threaded"), tf2_ros.Buffer()
    listener = tf2_ros.TransformListener(buffer, node, spin_thread=True)
    tf2_ros.StaticTransformBroadcaster(graph.node).sendTransform(transform("a", "b", 4.0))
    assert buffer.lookup_transform("a", "b", LATEST, Duration(seconds=20)).transform.translation.x == 4.0
    listener.executor.shutdown()
    listener.dedicated_listener_thread.join()
    listener.unregister()
    node.destroy_node()


def test_a_coroutine_can_await_a_transform(graph, heard):
    broadcaster = tf2_ros.TransformBroadcaster(graph.node)
    graph.wait_matched(broadcaster.pub_tf)
    task = graph.executor.create_task(heard.lookup_transform_async, "a", "b", LATEST)
    graph.executor.spin_once(timeout_sec=0.0)
    assert not task.done()
    broadcaster.sendTransform(transform("a", "b", 6.0))
    graph.wait_for(task.done)
    assert task.result().transform.translation.x == 6.0


@newer_than_humble
def test_a_clock_that_jumps_back_clears_what_moves(graph):
    node = graph.add(rclpy.create_node("simulated", parameter_overrides=[Parameter("use_sim_time", value=True)]))
    buffer = tf2_ros.Buffer(node=node)
    clock = graph.publisher(Clock, "/clock", 10)
    graph.wait_matched(clock)

    def set_clock(sec: int) -> None:
        clock.publish(Clock(clock=Time(seconds=sec).to_msg()))
        graph.wait_for(lambda: node.get_clock().now().nanoseconds == sec * 10**9)

    set_clock(100)
    buffer.set_transform(transform("a", "b", sec=100), "test")
    buffer.set_transform_static(transform("b", "c"), "test")
    set_clock(110)
    assert buffer.can_transform("a", "c", LATEST)
    set_clock(50)
    assert not buffer.can_transform("a", "b", LATEST)
    assert buffer.can_transform("b", "c", LATEST)
