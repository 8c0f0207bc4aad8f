"""depth_node as a process of its own: publish to receipt of a frame's last message, by the steady clock."""

from __future__ import annotations

import array
import json
import os
import tempfile
import time
from collections import Counter, defaultdict
from itertools import islice
from pathlib import Path
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2
from std_msgs.msg import Header

from endo_depth_ros.bags.source import DEFAULT_FRAME_ID
from endo_depth_ros.benchmark.figures import OverGraph, percentiles
from endo_depth_ros.benchmark.images import EncodedImage, back_and_forth
from endo_depth_ros.benchmark.publishing import CLOUD_TOPIC, TOPICS
from endo_depth_ros.benchmark.workload import BenchmarkError, Workload
from endo_depth_ros.cli.process_group import ProcessGroup, node_command
from endo_depth_ros.contracts import Verdict
from endo_depth_ros.nodes.depth_settings import DepthNodeSettings
from endo_depth_ros.nodes.frame_messages import status_values
from endo_depth_ros.nodes.messages import camera_info_message, image_message
from endo_depth_ros.nodes.quiet_domain import join_quiet_domain
from endo_depth_ros.settings import changed, entries
from endo_depth_ros.stamps import FIRST_STAMP_NS, stamp_ns_of

START_DEADLINE_S = 120.0
# As long as it may take the last frame, and the node's diagnostics, which come once a second.
END_S = 2.5
NODE = "depth_node"


def measure_over_graph(workload: Workload) -> OverGraph:
    """Run depth_node and send it all images at their rate.

    Raises ProcessError when the node fails, BenchmarkError when it answers nothing.
    """
    join_quiet_domain()
    is_jpeg = workload.images[0].is_jpeg
    transport = "compressed" if is_jpeg else "raw"
    settings = changed(workload.settings, {"allow_relative": True, "image_transport": transport})
    with tempfile.TemporaryDirectory() as logs, ProcessGroup(Path(logs), os.environ) as processes:
        processes.start(NODE, node_command(NODE, parameters_of(settings)))
        peer = Peer(workload.with_cloud, is_jpeg)
        try:
            peer.wait_for_node(processes)
            sent_ns = peer.send(workload)
            processes.running(NODE)
        finally:
            peer.destroy()
    return peer.figures(workload, sent_ns)


def parameters_of(settings: DepthNodeSettings) -> dict[str, str]:
    """The parameters that aren't at their default, as text for the command line."""
    values = {entry.name: (entry.default, getattr(settings, entry.name)) for entry in entries(DepthNodeSettings)}
    return {name: json.dumps(value) for name, (default, value) in values.items() if value != default}


class Peer:
    """The camera and the consumer of a depth_node."""

    def __init__(self, with_cloud: bool, is_jpeg: bool) -> None:
        """Create publishers and subscriptions; rclpy must be running."""
        self._node = rclpy.create_node("benchmark_peer")
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self._node)
        kind, topic = (CompressedImage, "image_raw/compressed") if is_jpeg else (Image, "image_raw")
        self._images = self._node.create_publisher(kind, topic, QoSProfile(depth=5))
        self._infos = self._node.create_publisher(CameraInfo, "camera_info", QoSProfile(depth=5))
        self.topics = {**TOPICS, CLOUD_TOPIC: PointCloud2} if with_cloud else dict(TOPICS)
        self._received_ns: dict[int, dict[str, int]] = defaultdict(dict)
        self._verdicts: dict[int, str] = {}
        self._counts: dict[str, str] = {}
        for topic, message_type in self.topics.items():
            self._listen(message_type, topic)
        self._node.create_subscription(DiagnosticArray, "/diagnostics", self._note_counts, QoSProfile(depth=10))

    def destroy(self) -> None:
        """End the node and rclpy."""
        self._executor.shutdown()
        self._node.destroy_node()
        rclpy.try_shutdown()

    def wait_for_node(self, processes: ProcessGroup) -> None:
        """Wait until depth_node listens and publishes. Raises ProcessError, BenchmarkError."""
        end_s = time.monotonic() + START_DEADLINE_S
        heard = (self._images, self._infos)
        while not all(publisher.get_subscription_count() for publisher in heard) or not all(
            self._node.count_publishers(topic) for topic in self.topics
        ):
            if not processes.running(NODE):
                raise BenchmarkError(f"depth_node ended too early; its log ends:\n{processes.tail(NODE)}")
            if time.monotonic() > end_s:
                raise BenchmarkError(f"depth_node is not ready after {START_DEADLINE_S:.0f} s; see endo-depth doctor")
            self._executor.spin_once(timeout_sec=0.05)

    def send(self, workload: Workload) -> dict[int, int]:
        """Publish each image when it is due and hear the answers out; steady time of publishing by stamp."""
        sent_ns: dict[int, int] = {}
        start_ns = time.monotonic_ns()
        images = islice(back_and_forth(workload.images), workload.warm_up + workload.frames)
        for index, image in enumerate(images):
            after_ns = round(index * 1e9 / workload.rate_hz)
            stamp_ns = FIRST_STAMP_NS + after_ns
            header = Header(frame_id=DEFAULT_FRAME_ID)
            header.stamp.sec, header.stamp.nanosec = divmod(stamp_ns, 10**9)
            message, info = message_of(header, image), camera_info_message(header, image.camera)
            self._spin_until(start_ns + after_ns)
            sent_ns[stamp_ns] = time.monotonic_ns()
            self._infos.publish(info)
            self._images.publish(message)
        self._spin_until(time.monotonic_ns() + round(END_S * 1e9))
        return sent_ns

    def figures(self, workload: Workload, sent_ns: dict[int, int]) -> OverGraph:
        """Latencies of the frames after those for warming up. Raises BenchmarkError without any."""
        counted = list(sent_ns)[workload.warm_up :]
        complete = [stamp for stamp in counted if len(self._received_ns[stamp]) == len(self.topics)]
        good = [stamp for stamp in complete if self._verdicts[stamp] == Verdict.OK.value]
        if not good:
            raise BenchmarkError("depth_node answered none of the images completely; is this machine overloaded?")
        return OverGraph(
            rate_hz=workload.rate_hz,
            topics=tuple(self.topics),
            sent=len(counted),
            answered=len(complete),
            verdicts=dict(Counter(self._verdicts[stamp] for stamp in complete)),
            end_to_end=percentiles([(max(self._received_ns[s].values()) - sent_ns[s]) / 1e6 for s in good]),
            node_received=int(self._counts["received_frames"]),
            node_dropped=int(self._counts["dropped_frames"]),
            inside_node_p50_ms=float(self._counts["latency_p50_ms"]),
            inside_node_p99_ms=float(self._counts["latency_p99_ms"]),
        )

    def _listen(self, message_type: type, topic: str) -> None:
        def note(message: Any) -> None:
            stamp_ns = stamp_ns_of(message.header)
            self._received_ns[stamp_ns][topic] = time.monotonic_ns()
            if isinstance(message, DiagnosticArray):
                self._verdicts[stamp_ns] = status_values(message)["verdict"]

        self._node.create_subscription(message_type, topic, note, QoSProfile(depth=5))

    def _note_counts(self, message: DiagnosticArray) -> None:
        self._counts.update(status_values(message))

    def _spin_until(self, due_ns: int) -> None:
        while (left_ns := due_ns - time.monotonic_ns()) > 0:
            self._executor.spin_once(timeout_sec=left_ns / 1e9)


def message_of(header: Header, image: EncodedImage) -> Image | CompressedImage:
    """The message that a driver would publish."""
    if image.is_jpeg:
        return CompressedImage(header=header, format="jpeg", data=array.array("B", image.data))
    return image_message(header, image.decode(), "rgb8")
