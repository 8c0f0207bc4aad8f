"""Waiting for those who listen."""

import threading

import pytest
import rclpy
from std_msgs.msg import String

from endo_depth_ros.nodes import subscribers
from endo_depth_ros.nodes.subscribers import wait_acknowledged, wait_for_subscribers

pytestmark = pytest.mark.ros


@pytest.fixture
def waiting(graph):
    """Start waiting for a subscriber of /chatter in a thread, which has ended when a node that subscribes is known."""
    stop = threading.Event()
    publisher = graph.publisher(String, "/chatter")
    threads = []

    def start(node_name=""):
        threads.append(
            threading.Thread(target=wait_for_subscribers, args=(graph.node, [publisher], stop, 0, node_name))
        )
        threads[0].start()
        return threads[0], publisher

    yield start
    stop.set()
    threads[0].join(5.0)


def test_the_first_message_waits_until_the_subscribing_node_answers(graph, waiting, monkeypatch):
    monkeypatch.setattr(subscribers, "ANSWER_DEADLINE_S", 60.0)
    silent = rclpy.create_node("silent")
    silent.create_subscription(String, "/chatter", print, 10)
    thread, publisher = waiting()
    graph.wait_matched(publisher)
    asked = graph.node.get_service_names_and_types_by_node
    graph.wait_for(lambda: asked("silent", "/"), "the silent node's services")
    for _ in range(20):
        graph.executor.spin_once(timeout_sec=0.05)
    assert thread.is_alive()
    graph.add(silent)
    graph.wait_for(lambda: not thread.is_alive(), "the end of waiting")


def test_a_node_that_cannot_be_asked_is_not_waited_for_for_ever(graph, waiting):
    mute = graph.add(rclpy.create_node("mute", start_parameter_services=False))
    mute.create_subscription(String, "/chatter", print, 10)
    thread, _ = waiting()
    graph.wait_for(lambda: not thread.is_alive(), "the end of waiting")


def test_topics_without_a_subscriber_of_the_wanted_node_are_named(graph):
    graph.collect(String, "/chatter")
    publisher = graph.publisher(String, "/chatter")
    graph.wait_matched(publisher)
    assert wait_for_subscribers(graph.node, [publisher], threading.Event(), 0.05, "depth_node") == ["/chatter"]


def test_topics_that_are_not_received_are_named(graph):
    class Unheard:
        topic_name = "/chatter"
        qos_profile = rclpy.qos.QoSProfile(depth=1)

        def wait_for_all_acked(self, duration):
            return False

    assert wait_acknowledged([Unheard()], threading.Event(), 0.01) == ["/chatter"]
