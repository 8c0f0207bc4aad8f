"""pose_node: frames with depth in; odometry, path, transforms and the word on what they are worth out."""

from __future__ import annotations

import gc
import threading
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.task import Future
from std_msgs.msg import Header
from std_srvs.srv import Trigger

from endo_depth_ros.bags.output import OutputError, complete_output
from endo_depth_ros.bags.tum_file import write_tum
from endo_depth_ros.contracts import DepthEstimate, FrameStatus, Verdict
from endo_depth_ros.geometry.camera import CameraError
from endo_depth_ros.imaging.encodings import ImageError
from endo_depth_ros.nodes.complaints import Complaints
from endo_depth_ros.nodes.frame_handover import IncomingFrame
from endo_depth_ros.nodes.frame_input import FrameTopics
from endo_depth_ros.nodes.frame_messages import FrameMessageError
from endo_depth_ros.nodes.frame_slot import FrameSlot
from endo_depth_ros.nodes.impossible_transitions import answer_impossible_transitions
from endo_depth_ros.nodes.kinematics_input import KinematicsInput
from endo_depth_ros.nodes.latency import LatencyMeter
from endo_depth_ros.nodes.messages import diagnostic, diagnostics_message
from endo_depth_ros.nodes.parameters import Parameters
from endo_depth_ros.nodes.pose_outputs import PoseOutputs, WithheldError
from endo_depth_ros.nodes.pose_settings import PoseNodeSettings
from endo_depth_ros.nodes.runner import StartError, run
from endo_depth_ros.pose.pipeline import PosePipeline, create_metric_scale
from endo_depth_ros.pose.trajectory_log import TrajectoryLog
from endo_depth_ros.stamps import NANOSECONDS, stamp_ns_of

if TYPE_CHECKING:
    from endo_depth_ros.pose.scale_estimate import MetricScale
    from endo_depth_ros.pose.tracker import TrackedFrame

DIAGNOSTICS_PERIOD_S = 1.0
# Images are taken from the middleware at once and dropped here, where they are counted.
LIVE_HISTORY = 5
# Frames without depth may overtake those with it by this much; more is a jump of the clock.
DISORDER_NS = NANOSECONDS


class PoseNode(LifecycleNode):
    """Lifecycle node around PosePipeline. Topics, services, parameters and status keys: docs/nodes/pose_node.md."""

    def __init__(self, listens: bool = True, **node_options: Any) -> None:
        """Declare parameters and, with autostart, configure and activate.

        listens: subscribe to depth_node's topics; False where another node of the process calls `take`.
        Raises SettingsError for a bad parameter, StartError when configuration fails under autostart.
        """
        super().__init__("pose_node", **node_options)
        self.done: Future = Future()
        self._listens = listens
        self._pipeline: PosePipeline | None = None
        self._outputs: PoseOutputs | None = None
        self._metric: MetricScale | None = None
        self._kinematics: KinematicsInput | None = None
        self._topics: FrameTopics | None = None
        self._settings = Parameters(self, PoseNodeSettings, self._apply, fixed=lambda: self._pipeline is not None)
        self._complaints = Complaints(self.get_logger())
        self._latency = LatencyMeter()
        self._slot: FrameSlot[IncomingFrame] = FrameSlot()
        self._dropped_before = 0
        self._worker: threading.Thread | None = None
        self._is_active = False
        # Held while a frame is worked on, so that services act between two frames.
        self._between_frames = threading.Lock()
        self._log = TrajectoryLog(self.settings.trajectory_poses)
        self._received = 0
        self._last_received_ns = 0
        self._failure = ""
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", 10)
        # By the steady clock: they must go on in simulated time that stands still.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(DIAGNOSTICS_PERIOD_S, self._publish_diagnostics, clock=steady)
        for name, callback in (
            ("reset", self._on_reset),
            ("relocalise", self._on_relocalise),
            ("save_trajectory", self._on_save_trajectory),
        ):
            self.create_service(Trigger, f"~/{name}", callback)
        answer_impossible_transitions(self)
        if self.settings.autostart:
            self._start()

    @property
    def settings(self) -> PoseNodeSettings:
        """The parameters as they are now."""
        return self._settings.settings

    # Lifecycle

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Make the tracker and the publishers; FAILURE with the reason in the log."""
        s = self.settings
        try:
            if s.uses_kinematics or s.constant:
                self._metric = create_metric_scale(s, s.read_hand_eye())
            self._pipeline = PosePipeline(s, [self._metric.factors] if self._metric is not None else [])
        except (RuntimeError, ValueError) as error:
            self._failure = str(error)
            self.get_logger().error(f"can't configure: {error}")
            return TransitionCallbackReturn.FAILURE
        self._log = TrajectoryLog(s.trajectory_poses)
        self._outputs = PoseOutputs(self, s)
        if self._metric is not None and s.uses_kinematics:
            frames = s.kinematics_base_frame, s.kinematics_tool_frame
            self._kinematics = KinematicsInput(self._outputs.tree, *frames, self._metric.add_kinematics)
        gc.collect()
        return TransitionCallbackReturn.SUCCESS

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Start to listen and to work."""
        result = super().on_activate(state)
        every = self.settings.processing == "every"
        self._last_received_ns = time.monotonic_ns()
        self._slot = FrameSlot(self.settings.queue_size if every else 1)
        self._is_active = True
        if not self.settings.synchronous:
            self._worker = threading.Thread(target=self._work, name="pose worker", daemon=True)
            self._worker.start()
        if self._listens:
            history = self.settings.queue_size if every else LIVE_HISTORY
            self._topics = FrameTopics(self, self, history, self.settings.use_sigma)
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop to listen; the frame in work is finished."""
        self._stop()
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Release the tracker and the publishers."""
        self._release()
        return TransitionCallbackReturn.SUCCESS

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop and release everything."""
        self._stop()
        self._release()
        return TransitionCallbackReturn.SUCCESS

    def destroy_node(self) -> None:
        """Stop the worker before its publishers go."""
        self._stop()
        self._release()
        super().destroy_node()

    def _start(self) -> None:
        if self.trigger_configure() != TransitionCallbackReturn.SUCCESS:
            raise StartError(self._failure)
        self.trigger_activate()

    def _stop(self) -> None:
        if not self._is_active:
            return
        self._is_active = False
        if self._topics is not None:
            self._topics.destroy()
            self._topics = None
        self._slot.close()
        self._dropped_before += self._slot.dropped
        self._slot.dropped = 0
        if self._worker is not None:
            self._worker.join()
            self._worker = None

    def _release(self) -> None:
        if self._outputs is not None:
            self._outputs.destroy()
        if self._pipeline is not None:
            self._pipeline.close()
        self._outputs = self._pipeline = self._metric = self._kinematics = None

    # One frame

    def take(self, incoming: IncomingFrame) -> None:
        """One more frame, from topics or from a node of the same process."""
        if not self._is_active:
            return
        self._received += 1
        self._last_received_ns = time.monotonic_ns()
        if self.settings.synchronous:
            self._answer_safely(incoming)
        else:
            self._slot.put(incoming)

    def _work(self) -> None:
        while (incoming := self._slot.take()) is not None:
            self._answer_safely(incoming)

    def _answer_safely(self, incoming: IncomingFrame) -> None:
        try:
            with self._between_frames:
                self._answer(incoming)
        except Exception as error:  # a frame that breaks the tracker must not end the stream
            if not self.context.ok():
                return
            self.get_logger().debug(traceback.format_exc())
            self._complaints.report("internal_error", self._source, f"no pose because of {error!r}; please report it")

    def _answer(self, incoming: IncomingFrame) -> None:
        if self._pipeline is None or self._outputs is None:
            return
        answer = self._read(incoming)
        if not self._is_in_order(stamp_ns_of(incoming.header), answer):
            return
        tracked = self._pipeline.track(answer, incoming.header.frame_id)
        self._log.add(tracked)
        self._find_scale(incoming.header, answer, tracked)
        withheld = ""
        try:
            self._outputs.publish(incoming.header, tracked)
        except WithheldError as error:
            withheld = error.kind
            if error.kind not in ("lost", "listening"):
                self._complaints.report(error.kind, self._source, str(error))
        self._finish(incoming, answer, tracked, withheld)

    def _find_scale(self, header: Header, answer: DepthEstimate | FrameStatus, tracked: TrackedFrame) -> None:
        """Compare with the robot's motion; a scale that isn't applied yet goes to whoever makes depth."""
        assert self._outputs is not None
        if self._metric is None or not isinstance(answer, DepthEstimate):
            return
        estimate = self._metric.update(tracked, answer.status.calibrated)
        if estimate.scale.epoch != tracked.pose.scale.epoch:
            self._outputs.publish_scale(header, estimate.scale, estimate.reason)

    def _read(self, incoming: IncomingFrame) -> DepthEstimate | FrameStatus:
        """The frame, or the status of one that can't be read."""
        try:
            return incoming.read()
        except ImageError as error:
            kind, sentence = "bad_image", str(error)
        except CameraError as error:
            kind, sentence = "bad_camera_info", str(error)
        except FrameMessageError as error:
            kind, sentence = "bad_frame", str(error)
        self._complaints.report(kind, self._source, sentence)
        return FrameStatus(stamp_ns_of(incoming.header), Verdict.INVALID_INPUT, sentence)

    def _is_in_order(self, stamp_ns: int, answer: DepthEstimate | FrameStatus) -> bool:
        """Whether the frame follows the last one; after a jump back in time everything begins anew."""
        assert self._pipeline is not None
        last_ns = self._pipeline.last_stamp_ns
        if last_ns is None or stamp_ns > last_ns:
            return True
        if stamp_ns == last_ns:
            sentence = "the stamp is that of the image before; let the driver stamp each image when it is taken"
            self._complaints.report("bad_stamp", self._source, sentence)
            return False
        if isinstance(answer, FrameStatus) and last_ns - stamp_ns < DISORDER_NS:
            return False
        back_s = (last_ns - stamp_ns) / NANOSECONDS
        sentence = f"stamps went back by {back_s:.3f} s; tracking starts anew (a bag that loops, or two publishers)"
        self._complaints.report("stamps_went_back", self._source, sentence)
        if self._kinematics is not None and self._outputs is not None:
            self._outputs.tree.clear()
            self._kinematics.restart()
        self._reset()
        return True

    def _finish(
        self, incoming: IncomingFrame, answer: DepthEstimate | FrameStatus, tracked: TrackedFrame, withheld: str
    ) -> None:
        assert self._outputs is not None
        status = answer.status if isinstance(answer, DepthEstimate) else answer
        extra: dict[str, object] = {
            "verdict": status.verdict.value,
            "coverage": f"{status.coverage:.4f}",
            "published": str(withheld in ("", "second_parent")).lower(),
            "withheld": withheld,
            "scale_reason": "" if self._metric is None else self._metric.estimate.reason,
            "dropped_frames": self._dropped,
            "latency_ms": f"{self._latency.add(incoming.received_ns, time.monotonic_ns()):.2f}",
        }
        self._outputs.publish_status(incoming.header, tracked, extra)

    @property
    def _source(self) -> str:
        return self.resolve_topic_name("depth/image_rect")

    # Services

    def _on_reset(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        with self._between_frames:
            response.success = self._reset()
        response.message = "the next frame is the origin of odom and map" if response.success else NOT_CONFIGURED
        return response

    def _on_relocalise(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        with self._between_frames:
            if self._pipeline is not None:
                self._pipeline.relocalise()
                response.success = True
        response.message = "the next good frames look for their place" if response.success else NOT_CONFIGURED
        return response

    def _on_save_trajectory(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        path = Path(self.settings.trajectory_file).absolute()
        with self._between_frames:
            trajectory = self._log.trajectory()
        if not len(trajectory.stamps_ns):
            response.message = "no frame has been tracked yet; nothing is written"
            return response
        try:
            with complete_output(path, overwrite=True) as partial:
                write_tum(partial, trajectory)
        except (OutputError, OSError) as error:
            response.message = f"{error}; choose another trajectory_file"
            return response
        response.success = True
        response.message = f"{path}: {len(trajectory.stamps_ns)} poses, camera to map"
        return response

    def _reset(self) -> bool:
        """Forget everything; whether there was anything to reset."""
        if self._pipeline is None or self._outputs is None:
            return False
        self._pipeline.reset()
        self._outputs.reset()
        self._log.clear()
        if self._metric is not None:
            self._metric.reset()
        return True

    # Parameters and diagnostics

    def _apply(self, settings: PoseNodeSettings) -> None:
        if self._outputs is not None:
            self._outputs.settings = settings

    @property
    def _dropped(self) -> int:
        return self._dropped_before + self._slot.dropped

    def _publish_diagnostics(self) -> None:
        silent_s = (time.monotonic_ns() - self._last_received_ns) / NANOSECONDS
        stale = self._is_active and silent_s > self.settings.stale_after_s
        if stale and self._topics is not None:
            complaint = self._topics.complaint()
            if complaint:
                self._complaints.report("incomplete_frames", self._source, complaint)
        silent = self._kinematics.complaint(self.settings.stale_after_s) if self._kinematics and self._received else ""
        if silent:
            self._complaints.report("no_kinematics", "/tf", silent)
        counts = self._complaints.counts
        level, message = DiagnosticStatus.OK, "working" if self._is_active else "inactive"
        if stale:
            level, message = DiagnosticStatus.STALE, "no frames with depth"
        elif counts:
            level, message = DiagnosticStatus.WARN, "complaints so far: " + ", ".join(sorted(counts))
        values: dict[str, object] = {
            "received_frames": self._received,
            "answered_frames": self._latency.frames,
            "dropped_frames": self._dropped,
            "rate_hz": f"{self._latency.rate_hz():.2f}",
            "latency_p50_ms": f"{self._latency.percentile_ms(50):.2f}",
            "latency_p99_ms": f"{self._latency.percentile_ms(99):.2f}",
            "trajectory_poses": len(self._log),
            "kinematic_samples": 0 if self._kinematics is None else self._kinematics.samples,
            **counts,
        }
        header = Header(stamp=self.get_clock().now().to_msg())
        status = diagnostic(self.get_fully_qualified_name(), level, message, values)
        self._diagnostics.publish(diagnostics_message(header, [status]))


NOT_CONFIGURED = "the node is not configured"


def main(args: list[str] | None = None) -> int:
    """Entry point of the executable."""
    return run(PoseNode, args)
