"""replay_node: a rosbag2 becomes its topics again, byte for byte, with /clock."""

from __future__ import annotations

import math
import threading
import time
from pathlib import Path
from typing import Any

from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile
from rclpy.task import Future
from rosgraph_msgs.msg import Clock
from std_srvs.srv import SetBool

from endo_depth_ros.bags.bag import BagTopic
from endo_depth_ros.bags.bag_reader import open_bag
from endo_depth_ros.bags.source import SourceError
from endo_depth_ros.nodes.message_types import UnknownTypeError, message_class
from endo_depth_ros.nodes.parameters import Parameters
from endo_depth_ros.nodes.playback_schedule import PlaybackSchedule
from endo_depth_ros.nodes.qos import is_latched, replay_profile
from endo_depth_ros.nodes.replay_settings import ReplaySettings
from endo_depth_ros.nodes.runner import StartError, run
from endo_depth_ros.nodes.subscribers import wait_acknowledged, wait_for_subscribers
from endo_depth_ros.nodes.topic_filter import TopicFilter
from endo_depth_ros.nodes.worker import Worker
from endo_depth_ros.stamps import NANOSECONDS

CLOCK_TOPIC = "/clock"
STOP_POLL_S = 0.1


class ReplayNode(Node):
    """Publishes a bag's messages when they are due. Topics and behaviour: docs/nodes/replay_node.md."""

    def __init__(self, **node_options: Any) -> None:
        """Open the bag and start. Raises SettingsError or StartError."""
        super().__init__("replay_node", **node_options)
        self.done: Future = Future()
        self.settings = Parameters(self, ReplaySettings).settings
        try:
            self._bag = open_bag(Path(self.settings.bag).expanduser())
        except SourceError as error:
            raise StartError(str(error)) from error
        if self._bag.advice:
            self.get_logger().warning(self._bag.advice)
        self._publishers_by_topic = self._make_publishers()
        self._clock_publisher = self._make_clock()
        self._schedule = PlaybackSchedule(self.settings.rate)
        self._changed = threading.Condition()
        self._next_tick_s = 0.0 if self._clock_publisher is not None else math.inf
        if self.settings.paused:
            self._schedule.pause(time.monotonic())
        self._pause_service = self.create_service(SetBool, "~/pause", self._set_paused)
        self._worker = Worker(self, self._replay, self.done)
        self._worker.start()

    def destroy_node(self) -> None:
        """Stop replaying, then destroy the node and close the bag."""
        self._worker.stop()
        super().destroy_node()
        self._bag.close()

    def _make_publishers(self) -> dict[BagTopic, Publisher]:
        """A publisher for each topic that is asked for and whose type is installed; /clock is this node's own."""
        wanted = TopicFilter(self.settings.topics, self.get_namespace())
        publishers = {}
        for topic in self._bag.topics:
            if topic.name not in wanted or topic.name == CLOCK_TOPIC or not topic.message_count:
                continue
            try:
                kind = message_class(topic.type)
            except UnknownTypeError as error:
                self.get_logger().warning(f"{topic.name}: {error}; it is left out")
                continue
            publishers[topic] = self.create_publisher(kind, topic.name, replay_profile(topic.qos, topic.message_count))
        if not publishers:
            names = ", ".join(topic.name for topic in self._bag.topics) or "none at all"
            raise StartError(
                f"{self._bag.name}: nothing to replay with topics '{self.settings.topics}'; it has {names}"
            )
        return publishers

    def _make_clock(self) -> Publisher | None:
        if self.settings.clock_rate_hz <= 0:
            return None
        return self.create_publisher(Clock, CLOCK_TOPIC, QoSProfile(depth=10))

    def _set_paused(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        with self._changed:
            now_s = time.monotonic()
            if request.data:
                self._schedule.pause(now_s)
            else:
                self._schedule.resume(now_s)
            self._changed.notify_all()
        response.success = True
        response.message = "paused" if request.data else "running"
        return response

    def _replay(self, stop: threading.Event) -> int:
        self._wait_for_subscribers(stop)
        count = self._replay_once(stop)
        while self.settings.loop and not stop.is_set():
            count += self._replay_once(stop)
        late = wait_acknowledged(self._publishers_by_topic.values(), stop, self.settings.acknowledge_timeout_s)
        if late and not stop.is_set():
            self.get_logger().warning(
                f"{', '.join(late)}: not every subscriber received the last messages; it may be overloaded"
            )
        self.get_logger().info(f"{self._bag.name}: the end, {count} messages published")
        return 0

    def _wait_for_subscribers(self, stop: threading.Event) -> None:
        words = [word.strip() for word in self.settings.wait_for_subscribers.split(",")]
        names = {self.resolve_topic_name(word) for word in words if word}
        replayed = {publisher.topic_name: publisher for publisher in self._publishers_by_topic.values()}
        unknown = names - set(replayed)
        if unknown:
            raise StartError(
                f"wait_for_subscribers: {', '.join(sorted(unknown))} is not replayed; name it as it stands in the bag "
                f"(image_topic of the launch file), one of: {', '.join(sorted(replayed))}"
            )
        awaited = [replayed[name] for name in names]
        lonely = wait_for_subscribers(self, awaited, stop, self.settings.wait_timeout_s, self.settings.wait_for_node)
        if lonely:
            who = self.settings.wait_for_node
            raise StartError(
                f"{', '.join(lonely)}: {who or 'nobody'} {'did not subscribe' if who else 'subscribed'} within "
                f"{self.settings.wait_timeout_s} s; start {who or 'the subscriber'}"
            )

    def _replay_once(self, stop: threading.Event) -> int:
        """Publish the bag from its start; returns how many messages were published."""
        start_ns = self._bag.start_ns + round(self.settings.start_offset_s * NANOSECONDS)
        self._publish_latched_before(start_ns)
        with self._changed:
            self._schedule.start(start_ns, time.monotonic())
        count = 0
        for message in self._bag.messages(list(self._publishers_by_topic), start_ns):
            if not self._wait_until_due(message.stamp_ns, stop):
                return count
            self._publishers_by_topic[message.topic].publish(message.data)
            count += 1
        if count == 0:
            raise StartError(
                f"{self._bag.name}: no message after start_offset_s {self.settings.start_offset_s}; it is "
                f"{(self._bag.end_ns - self._bag.start_ns) / NANOSECONDS:.3f} s long"
            )
        return count

    def _publish_latched_before(self, start_ns: int) -> None:
        """What a late subscriber would have got at start_ns: static transforms and their like."""
        latched = [topic for topic, publisher in self._publishers_by_topic.items() if is_latched(publisher.qos_profile)]
        if start_ns <= self._bag.start_ns or not latched:
            return
        for message in self._bag.messages(latched):
            if message.stamp_ns >= start_ns:
                break
            self._publishers_by_topic[message.topic].publish(message.data)

    def _wait_until_due(self, stamp_ns: int, stop: threading.Event) -> bool:
        """Keep the clock ticking until recorded time reaches stamp_ns; False when asked to stop."""
        while not stop.is_set():
            with self._changed:
                now_s = time.monotonic()
                due_s = self._schedule.due_s(stamp_ns)
                # Never ahead of the message that comes next, however late that is.
                clock_ns = min(self._schedule.stamp_ns_at(now_s), stamp_ns)
            self._tick(clock_ns, now_s)
            if due_s <= now_s:
                return True
            with self._changed:
                self._changed.wait(max(min(due_s, self._next_tick_s, now_s + STOP_POLL_S) - now_s, 0.0))
        return False

    def _tick(self, clock_ns: int, now_s: float) -> None:
        if self._clock_publisher is None or now_s < self._next_tick_s:
            return
        message = Clock()
        message.clock.sec, message.clock.nanosec = divmod(clock_ns, NANOSECONDS)
        self._clock_publisher.publish(message)
        period_s = 1.0 / self.settings.clock_rate_hz
        # On the grid, so that the rate holds; a long delay is not made up for.
        self._next_tick_s = max(self._next_tick_s + period_s, now_s + 0.5 * period_s)


def main(args: list[str] | None = None) -> int:
    """Run replay_node until the end of the bag or a signal."""
    return run(ReplayNode, args)
