"""Frames through the nodes over DDS in lock step: each waits for its answer, so that two runs are the same."""

from __future__ import annotations

import importlib.util
import os
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.srv import GetParameters
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from endo_depth_ros.bags.source import SourceFrame, camera_of
from endo_depth_ros.cli.lock_step_parameters import write_parameters
from endo_depth_ros.cli.pose_answers import ODOMETRY, STATUS, TF, PoseAnswers
from endo_depth_ros.cli.process_group import ProcessError, ProcessGroup, node_command
from endo_depth_ros.contracts import DepthEstimate, Frame, FrameStatus, Verdict
from endo_depth_ros.evaluation.recording import color_pixels, depth_pixels
from endo_depth_ros.geometry.camera import Camera, camera_from_info
from endo_depth_ros.nodes.depth_settings import DepthNodeSettings
from endo_depth_ros.nodes.fastdds_profile import environment_with_profile
from endo_depth_ros.nodes.frame_messages import status_of, status_values
from endo_depth_ros.nodes.messages import camera_info_message, image_message
from endo_depth_ros.nodes.quiet_domain import free_domain
from endo_depth_ros.pose.frame_order import FrameOrder
from endo_depth_ros.pose.settings import PoseSettings
from endo_depth_ros.runs.prediction_store import Answer
from endo_depth_ros.stamps import NANOSECONDS, stamp_ns_of

# A busy machine takes this long to import PyTorch; a node that fails is noticed at once.
START_DEADLINE_S = 240.0
ANSWER_DEADLINE_S = 60.0
OUTPUTS = {
    "depth/image_rect": Image,
    "depth/sigma": Image,
    "depth/camera_info": CameraInfo,
    "rgb/image_rect": Image,
    "depth/status": DiagnosticArray,
}
# The frame that shows that the nodes hear each other comes from the future: the recording's first one makes them begin
# anew, as after any jump back in time.
REHEARSAL_NS, REHEARSAL_DEADLINE_S = 3600 * NANOSECONDS, 3.0


def answer_by_graph(
    frames: Iterator[SourceFrame], settings: DepthNodeSettings, pose: PoseSettings | None
) -> Generator[Answer, None, None]:
    """What the nodes publish for each frame, and the latency that depth_node states.

    pose: of pose_node; None, or where gtsam is missing, leaves it out. A frame without an image or a camera can't be
    sent and is answered as depth_node would. Raises ProcessError when a node fails or does not answer.
    """
    if not has_gtsam():
        pose = None
    environment = environment_with_profile({**os.environ, "ROS_DOMAIN_ID": str(free_domain())})
    with tempfile.TemporaryDirectory(prefix="endo_depth_graph.") as folder:
        parameters = write_parameters(Path(folder) / "depth_node.yaml", settings)
        with ProcessGroup(Path(folder), environment) as processes, peer(environment) as driver:
            processes.start("depth_node", [*node_command("depth_node", {}), "--params-file", str(parameters)])
            driver.wait_for_node(processes)
            if pose is not None:
                parameters = write_parameters(Path(folder) / "pose_node.yaml", pose)
                processes.start("pose_node", [*node_command("pose_node", {}), "--params-file", str(parameters)])
                driver.add_pose_node(processes)
            for frame in frames:
                image = frame.image
                camera = None if image is None else camera_of(frame, image, settings.hfov_deg or None)
                if image is None or camera is None:
                    reason = frame.error or frame.camera_error
                    status = FrameStatus(frame.stamp_ns, Verdict.INVALID_INPUT, reason, model=settings.model)
                    yield Answer(status, float("nan"))
                    continue
                yield driver.ask(processes, Frame(frame.stamp_ns, frame.frame_id, image, camera))


def has_gtsam() -> bool:
    """Whether pose_node can run here."""
    return importlib.util.find_spec("gtsam") is not None


class Driver:
    """Publishes a frame and waits for all that the nodes say about it."""

    def __init__(self, node: Node, executor: SingleThreadedExecutor) -> None:
        """node: of this process; executor: spins it."""
        self._executor = executor
        self._image = node.create_publisher(Image, "image_raw", 10)
        self._info = node.create_publisher(CameraInfo, "camera_info", 10)
        self._barrier = node.create_client(GetParameters, "depth_node/get_parameters")
        self._answers: dict[str, Any] = {}
        self._stamp_ns = -1
        self._camera: Camera | None = None
        for topic, kind in OUTPUTS.items():
            node.create_subscription(kind, topic, partial(self._note, topic), 10)
        self._node = node
        self._poses: PoseAnswers | None = None
        self._order = FrameOrder()
        self._first_segment = self._last_segment = 0
        self._has_rehearsed = False

    def wait_for_node(self, processes: ProcessGroup) -> None:
        """Wait until depth_node listens here and is heard here. Raises ProcessError."""

        def ready() -> bool:
            heard = all(self._node.count_publishers(topic) for topic in OUTPUTS)
            return heard and self._image.get_subscription_count() > 0 and self._info.get_subscription_count() > 0

        self._spin_until(ready, processes, START_DEADLINE_S, "did not start")
        # Being seen is another matter than seeing: an answer tells that the node knows this side's endpoints.
        self._pass_barrier(processes)

    def add_pose_node(self, processes: ProcessGroup) -> None:
        """Have pose_node asked too, once it is seen here. Raises ProcessError."""
        poses = PoseAnswers()
        poses.listen(self._node)

        def ready() -> bool:
            return all(self._node.count_publishers(topic) for topic in (STATUS, ODOMETRY, TF))

        self._spin_until(ready, processes, START_DEADLINE_S, "did not start", "pose_node")
        self._poses = poses

    def ask(self, processes: ProcessGroup, frame: Frame) -> Answer:
        """The answers to one frame. Raises ProcessError when none comes."""
        if self._poses is not None and not self._has_rehearsed:
            self._rehearse(processes, frame, self._poses)
        depth, latency_ms = self._ask_depth(processes, frame)
        if self._poses is None or not self._order.takes(frame.stamp_ns, isinstance(depth, DepthEstimate)):
            return Answer(depth, latency_ms)
        self._spin_until(self._poses.is_complete, processes, ANSWER_DEADLINE_S, "did not answer a frame", "pose_node")
        if self._order.begins_anew:
            self._first_segment = self._last_segment + 1
        tracked = self._poses.read()
        self._last_segment = self._first_segment + tracked.segment
        return Answer(depth, latency_ms, replace(tracked, segment=self._last_segment))

    def _rehearse(self, processes: ProcessGroup, frame: Frame, poses: PoseAnswers) -> None:
        """Send the first frame from the future until pose_node answers: then the nodes hear each other."""
        end_s, stamp_ns = time.monotonic() + START_DEADLINE_S, frame.stamp_ns + REHEARSAL_NS
        while not self._has_rehearsed:
            stamp_ns += NANOSECONDS
            self._ask_depth(processes, replace(frame, stamp_ns=stamp_ns))
            try:
                self._spin_until(poses.is_complete, processes, REHEARSAL_DEADLINE_S, "does not answer", "pose_node")
                self._has_rehearsed = True
            except ProcessError:
                if time.monotonic() > end_s:
                    raise

    def _ask_depth(self, processes: ProcessGroup, frame: Frame) -> tuple[DepthEstimate | FrameStatus, float]:
        header = Header(frame_id=frame.frame_id)
        header.stamp.sec, header.stamp.nanosec = divmod(frame.stamp_ns, NANOSECONDS)
        if frame.camera != self._camera:
            self._info.publish(camera_info_message(header, frame.camera))
            # The node takes one topic's message before another's as they come: the camera must be there first.
            self._pass_barrier(processes)
            self._camera = frame.camera
        self._answers, self._stamp_ns = {}, frame.stamp_ns
        if self._poses is not None:
            self._poses.expect(frame.stamp_ns)
        self._image.publish(image_message(header, frame.image, "rgb8"))
        self._spin_until(self._is_complete, processes, ANSWER_DEADLINE_S, "did not answer a frame")
        return read_answer(self._answers)

    def _is_complete(self) -> bool:
        status = self._answers.get("depth/status")
        if status is None:
            return False
        return status_values(status)["published"] == "false" or len(self._answers) == len(OUTPUTS)

    def _pass_barrier(self, processes: ProcessGroup) -> None:
        self._spin_until(self._barrier.service_is_ready, processes, START_DEADLINE_S, "offers no parameters")
        # The first request may meet a side that is not matched yet: ask again until one is answered.
        futures = [self._barrier.call_async(GetParameters.Request())]
        asked_s = time.monotonic()

        def answered() -> bool:
            nonlocal asked_s
            if time.monotonic() - asked_s > 0.5:
                futures.append(self._barrier.call_async(GetParameters.Request()))
                asked_s = time.monotonic()
            return any(future.done() for future in futures)

        self._spin_until(answered, processes, START_DEADLINE_S, "does not answer")

    def _spin_until(
        self, done: Any, processes: ProcessGroup, deadline_s: float, failure: str, node: str = "depth_node"
    ) -> None:
        end_s = time.monotonic() + deadline_s
        while not done():
            if not processes.running(node):
                raise ProcessError(f"{node} ended too early; its log ends:\n{processes.tail(node)}")
            if time.monotonic() > end_s:
                raise ProcessError(f"{node} {failure} within {deadline_s:.0f} s; its log ends:\n{processes.tail(node)}")
            self._executor.spin_once(timeout_sec=0.05)

    def _note(self, topic: str, message: Any) -> None:
        if stamp_ns_of(message.header) == self._stamp_ns:
            self._answers[topic] = message


def read_answer(messages: dict[str, Any]) -> tuple[DepthEstimate | FrameStatus, float]:
    """The messages of one frame as the core's own types, and the latency, milliseconds."""
    status_message = messages["depth/status"]
    status = status_of(status_message)
    latency_ms = float(status_values(status_message)["latency_ms"])
    if len(messages) < len(OUTPUTS):
        return status, latency_ms
    info, color = messages["depth/camera_info"], messages["rgb/image_rect"]
    camera = camera_from_info(info, info.width, info.height)
    frame = Frame(status.stamp_ns, color.header.frame_id, color_pixels(color).copy(), camera)
    depth, sigma = (depth_pixels(messages[topic]).copy() for topic in ("depth/image_rect", "depth/sigma"))
    return DepthEstimate(frame, depth, sigma, status), latency_ms


@contextmanager
def peer(environment: dict[str, str]) -> Iterator[Driver]:
    """A driver on the ROS domain of the environment, apart from other nodes of this process."""
    context = Context()
    context.init(domain_id=int(environment["ROS_DOMAIN_ID"]))
    node = Node("evaluation_driver", context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    try:
        yield Driver(node, executor)
    finally:
        executor.shutdown()
        node.destroy_node()
        context.try_shutdown()
