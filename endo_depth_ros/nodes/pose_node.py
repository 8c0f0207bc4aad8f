"""pose_node: frames with depth in; odometry, path, transforms and the word on what they are worth out."""

from __future__ import annotations

import gc
import threading
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from std_msgs.msg import Header
from std_srvs.srv import Trigger

from endo_depth_ros.bags.output import OutputError
from endo_depth_ros.contracts import DepthEstimate, FrameStatus, Verdict
from endo_depth_ros.geometry.camera import CameraError
from endo_depth_ros.imaging.encodings import ImageError
from endo_depth_ros.nodes.frame_handover import IncomingFrame
from endo_depth_ros.nodes.frame_input import FrameTopics
from endo_depth_ros.nodes.frame_lifecycle import FrameNode
from endo_depth_ros.nodes.frame_messages import FrameMessageError
from endo_depth_ros.nodes.kinematics_input import KinematicsInput
from endo_depth_ros.nodes.parameters import Parameters
from endo_depth_ros.nodes.pose_outputs import PoseOutputs, WithheldError
from endo_depth_ros.nodes.pose_settings import PoseNodeSettings
from endo_depth_ros.nodes.refined_outputs import RefinedOutputs
from endo_depth_ros.nodes.runner import run
from endo_depth_ros.pose.frame_order import FrameOrder
from endo_depth_ros.pose.pipeline import PosePipeline, create_metric_scale
from endo_depth_ros.pose.trajectory_log import TrajectoryLog, earlier_path, write_paths
from endo_depth_ros.stamps import NANOSECONDS, stamp_ns_of

if TYPE_CHECKING:
    from endo_depth_ros.pose.scale_estimate import MetricScale
    from endo_depth_ros.pose.tracker import TrackedFrame

# Images are taken from the middleware at once and dropped here, where they are counted.
LIVE_HISTORY = 5


class PoseNode(FrameNode[IncomingFrame]):
    """Lifecycle node around PosePipeline. Topics, services, parameters and status keys: docs/nodes/pose_node.md."""

    def __init__(self, listens: bool = True, **node_options: Any) -> None:
        """Declare parameters and, with autostart, configure and activate.

        listens: subscribe to depth_node's topics; False where another node of the process calls `take`.
        Raises SettingsError for a bad parameter, StartError when configuration fails under autostart.
        """
        super().__init__("pose_node", **node_options)
        self._listens = listens
        self._pipeline: PosePipeline | None = None
        self._outputs: PoseOutputs | None = None
        self._refined: RefinedOutputs | None = None
        self._metric: MetricScale | None = None
        self._kinematics: KinematicsInput | None = None
        self._topics: FrameTopics | None = None
        self._settings = Parameters(self, PoseNodeSettings, self._apply, fixed=lambda: self._pipeline is not None)
        self._order = FrameOrder()
        # What services ask for; done before the next frame, on the thread that works on frames.
        self._reset_wanted, self._relocalise_wanted = threading.Event(), threading.Event()
        self._log = TrajectoryLog(self.settings.trajectory_poses)
        for name, callback in (
            ("reset", self._on_reset),
            ("relocalise", self._on_relocalise),
            ("save_trajectory", self._on_save_trajectory),
        ):
            self.create_service(Trigger, f"~/{name}", callback)
        self._start_if_wanted()

    @property
    def settings(self) -> PoseNodeSettings:
        """The parameters as they are now."""
        return self._settings.settings

    # Lifecycle

    def _load(self) -> None:
        """Make the tracker and the publishers."""
        s = self.settings
        if s.uses_kinematics or s.constant:
            self._metric = create_metric_scale(s, s.read_hand_eye())
        self._pipeline = PosePipeline(s, [self._metric.factors] if self._metric is not None else [])
        self._log, self._order = TrajectoryLog(s.trajectory_poses), FrameOrder()
        self._reset_wanted.clear()
        self._relocalise_wanted.clear()
        self._outputs = PoseOutputs(self, s)
        # Live consumers want the newest image; in replay every frame must reach a recorder that is briefly busy.
        self._refined = RefinedOutputs(self, s.queue_size if s.processing == "every" else 1)
        if self._metric is not None and s.uses_kinematics:
            frames = s.kinematics_base_frame, s.kinematics_tool_frame
            self._kinematics = KinematicsInput(self._outputs.tree, *frames, self._metric.add_kinematics)
            self._outputs.tree.rewound.append(self._follow_robots_clock)
        gc.collect()

    def _listen(self) -> None:
        if self._listens:
            history = self.settings.queue_size if self.settings.processing == "every" else LIVE_HISTORY
            self._topics = FrameTopics(self, self, history, self.settings.use_sigma)

    def _fall_silent(self) -> None:
        if self._topics is not None:
            self._topics.destroy()
            self._topics = None

    def _unload(self) -> None:
        if self._outputs is not None:
            self._outputs.destroy()
        if self._refined is not None:
            self._refined.destroy()
        if self._pipeline is not None:
            self._pipeline.close()
        self._outputs = self._refined = self._pipeline = self._metric = self._kinematics = None

    # One frame

    def take(self, incoming: IncomingFrame) -> None:
        """One more frame, from topics or from a node of the same process."""
        if not self._is_active:
            return
        self._count_received(time.monotonic_ns())
        if self.settings.synchronous:
            self._answer_safely(incoming)
        else:
            self._slot.put(incoming)

    def _work(self) -> None:
        while (incoming := self._slot.take()) is not None:
            self._answer_safely(incoming)

    def _answer_safely(self, incoming: IncomingFrame) -> None:
        try:
            self._answer(incoming)
        except Exception as error:  # a frame that breaks the tracker must not end the stream
            if not self.context.ok():
                return
            self.get_logger().debug(traceback.format_exc())
            self._complaints.report("internal_error", self._source, f"no pose because of {error!r}; please report it")

    def _answer(self, incoming: IncomingFrame) -> None:
        if self._pipeline is None or self._outputs is None:
            return
        self._do_what_is_wanted(self._pipeline)
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
        if withheld != "relative_pose_withheld":
            self._publish_refined(incoming.header, answer, tracked)
        self._finish(incoming, answer, tracked, withheld)

    def _publish_refined(self, header: Header, answer: DepthEstimate | FrameStatus, tracked: TrackedFrame) -> None:
        """The frame's depth as the camera's motion has it."""
        assert self._refined is not None
        assert self._pipeline is not None
        if isinstance(answer, DepthEstimate) and self._refined.wanted():
            refined = self._pipeline.refine(answer, tracked)
            if refined is not None:
                self._refined.publish(header, refined)

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

    def _do_what_is_wanted(self, pipeline: PosePipeline) -> None:
        """What services asked for since the last frame."""
        if self._reset_wanted.is_set():
            self._reset_wanted.clear()
            self._order.forget()
            self._begin_anew(pipeline)
        if self._relocalise_wanted.is_set():
            self._relocalise_wanted.clear()
            pipeline.relocalise()

    def _is_in_order(self, stamp_ns: int, answer: DepthEstimate | FrameStatus) -> bool:
        """Whether the frame follows the last one; after a jump back in time everything begins anew."""
        assert self._pipeline is not None
        has_depth = isinstance(answer, DepthEstimate)
        is_taken, back_s = self._order.takes(stamp_ns, has_depth), self._order.back_ns / NANOSECONDS
        if not is_taken and back_s == 0:
            sentence = "the stamp is that of the image before; let the driver stamp each image when it is taken"
            self._complaints.report("bad_stamp", self._source, sentence)
        elif not is_taken and has_depth:
            sentence = f"the image was taken {1000 * back_s:.3f} ms before the last one and comes too late to be used"
            self._complaints.report("bad_stamp", self._source, sentence)
        elif is_taken and self._order.begins_anew:
            sentence = f"stamps went back by {back_s:.3f} s; tracking starts anew (a bag that loops, or two publishers)"
            self._complaints.report("stamps_went_back", self._source, sentence)
            self._begin_anew(self._pipeline)
        return is_taken

    def _finish(
        self, incoming: IncomingFrame, answer: DepthEstimate | FrameStatus, tracked: TrackedFrame, withheld: str
    ) -> None:
        assert self._outputs is not None
        status = answer.status if isinstance(answer, DepthEstimate) else answer
        extra: dict[str, object] = {
            "verdict": status.verdict.value,
            "coverage": f"{status.coverage:.4f}",
            "published": str(withheld in ("", "no_tree")).lower(),
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
        return self._want(self._reset_wanted, "the next frame is the origin of odom and map", response)

    def _on_relocalise(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        effect = "the next good frame looks for its place among those that are known, else a new segment begins"
        return self._want(self._relocalise_wanted, effect, response)

    def _want(self, what: threading.Event, effect: str, response: Trigger.Response) -> Trigger.Response:
        response.success = self._pipeline is not None
        response.message = effect if response.success else NOT_CONFIGURED
        if response.success:
            what.set()
        return response

    def _on_save_trajectory(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        path = Path(self.settings.trajectory_file).expanduser().absolute()
        if not len(self._log) and not len(self._log.earlier().stamps_ns):
            response.message = "no frame has been tracked yet; nothing is written"
            return response
        try:
            written = write_paths(path, self._log)
        except (OutputError, OSError) as error:
            reason = error if isinstance(error, OutputError) else f"{path}: can't be written ({error.strerror})"
            response.message = f"{reason}; choose another trajectory_file"
            return response
        response.success = True
        words = ", camera to map", " from before tracking began anew"
        said = zip((path, earlier_path(path)), words, strict=True)
        response.message = "; ".join(f"{file}: {written[file]} poses{word}" for file, word in said if file in written)
        if earlier_path(path) not in written and earlier_path(path).exists():
            response.message += f"; {earlier_path(path)} is of another run"
        return response

    def _follow_robots_clock(self, child: str) -> None:
        """After stamps on /tf jumped back: the robot's poses are taken from there on."""
        sentence = f"stamps of {child} jumped back by more than tf2 keeps; transforms are taken anew from there on"
        self._complaints.report("tf_went_back", "/tf", sentence)
        if self._kinematics is not None and self._metric is not None:
            self._kinematics.restart()
            self._metric.forget_kinematics()

    def _begin_anew(self, pipeline: PosePipeline) -> None:
        """Forget everything but the poses for ~/save_trajectory, also the transforms that others published."""
        pipeline.reset()
        self._log.begin_anew()
        if self._outputs is not None:
            self._outputs.reset()
            self._outputs.tree.clear()
        if self._kinematics is not None:
            self._kinematics.restart()
        if self._metric is not None:
            self._metric.reset()

    # Parameters and diagnostics

    def _apply(self, settings: PoseNodeSettings) -> None:
        if self._outputs is not None:
            self._outputs.settings = settings

    def _look_for_faults(self, silent_s: float) -> str:
        patience_s = self.settings.stale_after_s
        stale = silent_s > patience_s
        incomplete = self._topics.complaint() if stale and self._topics is not None else ""
        if incomplete:
            self._complaints.report("incomplete_frames", self._source, incomplete)
        silent = self._kinematics.complaint(patience_s) if self._kinematics and self._received else ""
        if silent:
            self._complaints.report("no_kinematics", "/tf", silent)
        return "no frames with depth" if stale else ""

    def _diagnostic_values(self) -> dict[str, object]:
        return {
            "trajectory_poses": len(self._log),
            "kinematic_samples": 0 if self._kinematics is None else self._kinematics.samples,
        }


NOT_CONFIGURED = "the node is not configured"


def main(args: list[str] | None = None) -> int:
    """Entry point of the executable."""
    return run(PoseNode, args)
