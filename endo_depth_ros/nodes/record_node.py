"""record_node: topics as they come, undecoded, into an .mcap that survives a kill."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any

from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.subscription import Subscription
from rclpy.task import Future
from rosbags.interfaces import Qos

from endo_depth_ros.bags.bag import BagTopic
from endo_depth_ros.bags.bag_writer import BagWriter
from endo_depth_ros.bags.output import OutputError
from endo_depth_ros.nodes.complaints import Complaints
from endo_depth_ros.nodes.message_types import UnknownTypeError, full_definition, message_class
from endo_depth_ros.nodes.parameters import Parameters
from endo_depth_ros.nodes.qos import is_latched, is_weaker, recorded_qos, reliable_profile, subscription_profile
from endo_depth_ros.nodes.record_queue import Received, RecordQueue
from endo_depth_ros.nodes.record_settings import RecordSettings
from endo_depth_ros.nodes.runner import StartError, run
from endo_depth_ros.nodes.topic_filter import TopicFilter
from endo_depth_ros.nodes.worker import Worker

DISCOVERY_PERIOD_S = 0.1
WRITE_TIMEOUT_S = 0.25
# A second of images at 30 Hz, for a writer that is held up.
QUEUE_DEPTH = 30
LAST_MESSAGES_DEADLINE_S = 60.0


@dataclass(frozen=True)
class Recorded:
    """A topic that is being recorded."""

    topic: BagTopic
    subscription: Subscription
    profile: QoSProfile


class RecordNode(Node):
    """Records topics. Parameters and behaviour: docs/nodes/record_node.md."""

    def __init__(self, **node_options: Any) -> None:
        """Create the file and start looking for topics. Raises SettingsError or StartError."""
        super().__init__("record_node", **node_options)
        self.done: Future = Future()
        self.settings = Parameters(self, RecordSettings).settings
        self._wanted = TopicFilter(self.settings.topics, self.get_namespace())
        self._complaints = Complaints(self.get_logger())
        self._queue = RecordQueue(self.settings.max_queue_mb * 2**20)
        self._recorded: dict[str, Recorded] = {}
        self._unknown: set[str] = set()
        self._count = 0
        try:
            self._writer = BagWriter(Path(self.settings.output).expanduser(), self.settings.compression)
        except OutputError as error:
            raise StartError(str(error)) from error
        self._worker = Worker(self, self._write_all, self.done)
        self._worker.start()
        self.create_timer(DISCOVERY_PERIOD_S, self._discover)
        self._discover()
        self.get_logger().info(f"recording {self.settings.topics} into {self.settings.output}")

    def destroy_node(self) -> None:
        """Write what still waits, close the file and destroy the node."""
        self._queue.close()
        self._worker.join(LAST_MESSAGES_DEADLINE_S)
        lost = f", {self._queue.dropped} dropped for lack of memory" if self._queue.dropped else ""
        # After a signal the logger's own topic is gone, so this goes to the terminal alone.
        print(f"{self.settings.output}: {self._count} messages{lost}", flush=True)
        super().destroy_node()

    def _discover(self) -> None:
        for name, types in self.get_topic_names_and_types():
            if name in self._wanted and name not in self._unknown:
                self._follow(name, types[0])

    def _follow(self, name: str, type_name: str) -> None:
        """Subscribe to a topic, or again when a publisher came that the subscription does not do justice to.

        Without a publisher too: it may send as soon as it is there, before a subscription of then could be matched.
        """
        offers = self._offers(name)
        profile = subscription_profile(offers, QUEUE_DEPTH) if offers else self._expected_profile(name)
        known = self._recorded.get(name)
        if known is not None and not (offers and _must_change(known, profile)):
            if offers and not known.topic.qos:
                self._recorded[name] = replace(known, topic=replace(known.topic, qos=_distinct(offers)))
            return
        try:
            kind = message_class(type_name)
        except UnknownTypeError as error:
            self._unknown.add(name)
            self.get_logger().warning(f"{name}: {error}; it is not recorded")
            return
        if known is not None:
            self.destroy_subscription(known.subscription)
        topic = BagTopic(name, type_name, full_definition(type_name), "ros2msg", _distinct(offers))
        subscription = self.create_subscription(kind, name, self._receiver(name), profile, raw=True)
        self._recorded[name] = Recorded(topic, subscription, profile)

    def _offers(self, name: str) -> list[QoSProfile]:
        return [info.qos_profile for info in self.get_publishers_info_by_topic(name)]

    def _expected_profile(self, name: str) -> QoSProfile:
        """For a topic without a publisher: reliable, and latched if that is what all others ask for."""
        others = [
            info.qos_profile
            for info in self.get_subscriptions_info_by_topic(name)
            if (info.node_namespace, info.node_name) != (self.get_namespace(), self.get_name())
        ]
        latched = bool(others) and all(is_latched(other) for other in others)
        return reliable_profile(QUEUE_DEPTH, latched)

    def _receiver(self, name: str) -> Any:
        def receive(data: bytes) -> None:
            topic = self._topic_of(name)
            if not self._queue.put(Received(topic, self.get_clock().now().nanoseconds, data)):
                limit = f"the disk is too slow: {self.settings.max_queue_mb} MB wait for it"
                self._complaints.report("dropped", name, f"a message was dropped, {limit}; record fewer topics")

        return receive

    def _topic_of(self, name: str) -> BagTopic:
        """The topic with what its publishers offer, also where the first message comes before they are looked for."""
        topic = self._recorded[name].topic
        return topic if topic.qos else replace(topic, qos=_distinct(self._offers(name)))

    def _write_all(self, stop: Event) -> int:
        """Write until the queue is closed; an idle moment is used to flush."""
        try:
            with self._writer:
                while (batch := self._queue.take(WRITE_TIMEOUT_S)) is not None:
                    self._write(batch)
        except OutputError as error:
            # After a signal the logger's own topic is gone, so this goes to the terminal alone.
            if not self.context.ok():
                print(f"error: {error}", file=sys.stderr, flush=True)
            raise
        return 0

    def _write(self, batch: list[Received]) -> None:
        for message in batch:
            self._writer.add_topic(message.topic)
            self._writer.write(message.topic.name, message.stamp_ns, message.data)
            self._queue.release(message)
            self._count += 1
        if not batch:
            self._writer.flush()


def _must_change(known: Recorded, profile: QoSProfile) -> bool:
    """Whether a subscription misses messages: of one who offers less, or the latched ones of the first to come."""
    first_is_latched = not known.topic.qos and is_latched(profile) and not is_latched(known.profile)
    return is_weaker(profile, known.profile) or first_is_latched


def _distinct(offers: Sequence[QoSProfile]) -> tuple[Qos, ...]:
    return tuple(dict.fromkeys(recorded_qos(offer) for offer in offers))


def main(args: list[str] | None = None) -> int:
    """Run record_node until a signal."""
    return run(RecordNode, args)
