"""Frames with depth from topics, joined by their stamps."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import message_filters
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import CameraInfo, Image

from endo_depth_ros.nodes.frame_handover import FrameConsumer, IncomingFrame
from endo_depth_ros.nodes.frame_messages import estimate_of, status_of, status_values

STATUS_TOPIC = "depth/status"
TOPICS = {
    "rgb/image_rect": Image,
    "depth/image_rect": Image,
    "depth/camera_info": CameraInfo,
    STATUS_TOPIC: DiagnosticArray,
    "depth/sigma": Image,
}
WITHOUT_SIGMA = [topic for topic in TOPICS if topic != "depth/sigma"]


class FrameTopics:
    """Subscriptions to what depth_node publishes; each frame goes to the consumer once all its messages are there."""

    def __init__(self, node: Node, consumer: FrameConsumer, history: int, use_sigma: bool) -> None:
        """history: messages that each subscription keeps, and frames that may be incomplete at a time."""
        self._node, self._consumer = node, consumer
        self._received: dict[str, int] = {}
        self._sets = self._sets_before = 0
        qos = QoSProfile(depth=history, reliability=ReliabilityPolicy.RELIABLE)
        overriding = QoSOverridingOptions.with_default_policies()
        self._subscribers = [
            message_filters.Subscriber(node, TOPICS[topic], topic, qos_profile=qos, qos_overriding_options=overriding)
            for topic in (TOPICS if use_sigma else WITHOUT_SIGMA)
        ]
        for subscriber in self._subscribers:
            subscriber.registerCallback(partial(self._count, subscriber.topic))
        self._synchronizer = message_filters.TimeSynchronizer(self._subscribers, history)
        self._synchronizer.registerCallback(self._on_set)

    def destroy(self) -> None:
        """Remove the subscriptions from the node."""
        for subscriber in self._subscribers:
            self._node.destroy_subscription(subscriber.sub)

    def complaint(self) -> str:
        """Why no frame has been complete since the last call, or '' if one has, or none was sent at all."""
        counts, sets = dict(self._received), self._sets
        self._received, idle = {}, sets == self._sets_before
        self._sets_before = sets
        if not idle or not counts.get(STATUS_TOPIC):
            return ""
        silent = [self._node.resolve_topic_name(s.topic) for s in self._subscribers if not counts.get(s.topic)]
        if silent:
            return f"nothing comes on {', '.join(silent)}; check that it is published under this name"
        return "the stamps of its topics never agree; publish the stamp of the image on all of them"

    def _count(self, topic: str, message: Any) -> None:
        self._received[topic] = self._received.get(topic, 0) + 1
        if topic == STATUS_TOPIC and status_values(message).get("published") == "false":
            # Nothing else will come of this image.
            self._sets += 1
            self._consumer.take(IncomingFrame(message.header, time.monotonic_ns(), partial(status_of, message)))

    def _on_set(
        self, rgb: Image, depth: Image, info: CameraInfo, status: DiagnosticArray, sigma: Image | None = None
    ) -> None:
        self._sets += 1
        read = partial(estimate_of, rgb, depth, info, status, sigma)
        self._consumer.take(IncomingFrame(depth.header, time.monotonic_ns(), read))
