"""depth_node: endoscope images in; depth, cloud and the word on what they are worth out."""

from __future__ import annotations

import gc
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header

from endo_depth_ros.contracts import Frame, FrameStatus, Scale, Verdict
from endo_depth_ros.depth.pipeline import Begun, DepthPipeline
from endo_depth_ros.geometry.camera import CameraError
from endo_depth_ros.imaging.encodings import ImageError
from endo_depth_ros.nodes.camera_source import CameraSource, MissingCameraError
from endo_depth_ros.nodes.depth_outputs import DepthOutputs
from endo_depth_ros.nodes.depth_settings import DepthNodeSettings
from endo_depth_ros.nodes.frame_handover import FrameConsumer
from endo_depth_ros.nodes.frame_lifecycle import FrameNode
from endo_depth_ros.nodes.hand_over import HandOver
from endo_depth_ros.nodes.image_input import rgb_of_compressed, rgb_of_image
from endo_depth_ros.nodes.parameters import Parameters
from endo_depth_ros.nodes.runner import run
from endo_depth_ros.nodes.scale_input import ScaleInput
from endo_depth_ros.stamps import stamp_ns_of

# The first image often overtakes the first CameraInfo.
CAMERA_INFO_PATIENCE_S = 1.0
# Images are taken from the middleware at once and dropped here, where they are counted.
LIVE_DEPTH = 5
# Sources wait for this node before they start.
START_PATIENCE_S = 10.0
RELIABILITY_CHECK_PERIOD_S = 0.2


@dataclass(frozen=True)
class Incoming:
    """An image message and when it was received, by the steady clock in nanoseconds."""

    message: Image | CompressedImage
    received_ns: int


class DepthNode(FrameNode[Incoming]):
    """Lifecycle node around DepthPipeline. Topics, parameters and status keys: docs/nodes/depth_node.md."""

    def __init__(self, consumer: FrameConsumer | None = None, **node_options: Any) -> None:
        """Declare parameters and, with autostart, configure and activate.

        consumer: takes every frame in memory, for nodes of the same process.
        Raises SettingsError for a bad parameter, StartError when configuration fails under autostart.
        """
        super().__init__("depth_node", **node_options)
        self._consumer = consumer
        self._pipeline: DepthPipeline | None = None
        self._outputs: DepthOutputs | None = None
        self._settings = Parameters(self, DepthNodeSettings, self._apply, fixed=lambda: self._pipeline is not None)
        self._cameras = CameraSource(self.settings.hfov_deg)
        self._image_subscription: Subscription | None = None
        self._reliability = ReliabilityPolicy.RELIABLE
        self._camera_arrived = threading.Event()
        self._last_stamp_ns = -1
        self._unwanted = 0
        self._stale = False
        self.create_timer(RELIABILITY_CHECK_PERIOD_S, self._follow_reliability, clock=self._steady_clock)
        self._start_if_wanted()

    @property
    def settings(self) -> DepthNodeSettings:
        """The parameters as they are now."""
        return self._settings.settings

    # Lifecycle

    def _load(self) -> None:
        """Load and warm up the model, create the publishers."""
        pipeline = DepthPipeline(self.settings, self._warn_of_model)
        pipeline.warm_up()
        self._pipeline = pipeline
        self._outputs = DepthOutputs(self, self.settings, self._consumer)
        self._cameras = CameraSource(self.settings.hfov_deg)
        # What is loaded now stays: a full collection would walk through all of PyTorch, for longer than a frame.
        gc.collect()
        gc.freeze()
        estimator = pipeline.estimator
        self.get_logger().info(f"model {estimator.name} on {estimator.device}, scale {estimator.scale_state.value}")

    def _listen(self) -> None:
        self._reliability = ReliabilityPolicy.RELIABLE
        if self.settings.image_reliability == "best_effort":
            self._reliability = ReliabilityPolicy.BEST_EFFORT
        # Best effort matches every publisher, and calibrations are small enough not to be lost.
        infos = QoSProfile(depth=10, reliability=ReliabilityPolicy.BEST_EFFORT)
        self._info_subscription = self.create_subscription(CameraInfo, "camera_info", self._on_camera_info, infos)
        self._scales = ScaleInput(self, self._complaints, self._use_scale)
        self._subscribe()

    def _fall_silent(self) -> None:
        assert self._image_subscription is not None
        self.destroy_subscription(self._image_subscription)
        self.destroy_subscription(self._info_subscription)
        self._scales.destroy()
        self._image_subscription = None

    def _unload(self) -> None:
        if self._outputs is not None:
            self._outputs.destroy()
        self._outputs = self._pipeline = None
        gc.unfreeze()

    def _warn_of_model(self, sentence: str) -> None:
        self._complaints.report("device_failed", f"model {self.settings.model}", sentence)

    # Input

    @property
    def _image_topic(self) -> str:
        base = self.resolve_topic_name("image_raw")
        return f"{base}/compressed" if self.settings.image_transport == "compressed" else base

    def _subscribe(self) -> None:
        message_type = CompressedImage if self.settings.image_transport == "compressed" else Image
        depth = self.settings.queue_size if self.settings.processing == "every" else LIVE_DEPTH
        qos = QoSProfile(depth=depth, reliability=self._reliability)
        self._image_subscription = self.create_subscription(message_type, self._image_topic, self._on_image, qos)

    def _follow_reliability(self) -> None:
        """Under auto, give up reliability for a publisher that does not offer it: else nothing would arrive."""
        if self._image_subscription is None or self.settings.image_reliability != "auto":
            return
        if self._reliability == ReliabilityPolicy.BEST_EFFORT:
            return
        offers = [info.qos_profile.reliability for info in self.get_publishers_info_by_topic(self._image_topic)]
        if ReliabilityPolicy.BEST_EFFORT in offers:
            self.get_logger().info(f"{self._image_topic} is published best effort; subscribing best effort")
            self._reliability = ReliabilityPolicy.BEST_EFFORT
            self.destroy_subscription(self._image_subscription)
            self._subscribe()

    def _on_camera_info(self, message: CameraInfo) -> None:
        self._cameras.update(message)
        self._camera_arrived.set()

    def _use_scale(self, scale: Scale) -> None:
        if self.settings.metres_per_unit:
            sentence = f"not used, because metres_per_unit is {self.settings.metres_per_unit}"
            self._complaints.report("scale_not_used", self.resolve_topic_name("scale"), sentence)
        if self._pipeline is not None:
            self._pipeline.use_scale(scale)

    def _on_image(self, message: Image | CompressedImage) -> None:
        incoming = Incoming(message, time.monotonic_ns())
        self._count_received(incoming.received_ns)
        if self._stale:
            self._stale = False
            self.get_logger().info(f"{self._image_topic}: images are back")
        if self.settings.synchronous:
            self._begin_safely(incoming)()
        else:
            self._slot.put(incoming)

    def _work(self) -> None:
        """Begin frames while another thread finishes the one before: the model leaves cores and the lock of Python."""
        begun: HandOver[Callable[[], None]] = HandOver()
        finisher = threading.Thread(target=finish_all, args=(begun,), name="depth finisher", daemon=True)
        finisher.start()
        patient = self.settings.hfov_deg == 0
        while (incoming := self._slot.take()) is not None:
            if patient:
                self._camera_arrived.wait(CAMERA_INFO_PATIENCE_S)
                patient = False
            begun.put(self._begin_safely(incoming))
            # The next frame is chosen when it can be worked on, not before: it would only grow old.
            if not begun.wait_until_empty():
                break
        begun.close()
        finisher.join()

    # One frame: what is begun returns what is left to do

    def _begin_safely(self, incoming: Incoming) -> Callable[[], None]:
        try:
            rest = self._begin(incoming)
        except Exception as error:  # a frame that breaks the model must not end the stream
            return partial(self._report_breakage, incoming, error, traceback.format_exc())
        return partial(self._finish_safely, incoming, rest)

    def _finish_safely(self, incoming: Incoming, rest: Callable[[], None]) -> None:
        try:
            rest()
        except Exception as error:  # likewise
            self._report_breakage(incoming, error, traceback.format_exc())

    def _report_breakage(self, incoming: Incoming, error: Exception, trace: str) -> None:
        if not self.context.ok():
            return
        self.get_logger().debug(trace)
        sentence = f"no depth because of {error!r}; please report it"
        self._decline(incoming, Verdict.INTERNAL_ERROR, "internal_error", self._image_topic, sentence)

    def _begin(self, incoming: Incoming) -> Callable[[], None]:
        pipeline, outputs, header = self._pipeline, self._outputs, incoming.message.header
        if pipeline is None or outputs is None:
            return do_nothing
        self._check_header(header)
        wanted = outputs.wanted()
        needed = wanted.depth or wanted.image
        if not needed and isinstance(incoming.message, CompressedImage):
            self._unwanted += 1
            return do_nothing
        try:
            # Nearly free for raw images, so bad ones are told even while nobody listens.
            frame = self._decode(incoming.message)
            if not needed:
                self._unwanted += 1
                return do_nothing
            if not wanted.depth:
                self._unwanted += 1
                return partial(outputs.publish_image, header, pipeline.rectify(frame).frame)
            begun = pipeline.begin(frame)
        except (ImageError, CameraError) as error:
            return partial(self._refuse, incoming, error)
        return partial(self._finish, incoming, pipeline, outputs, begun)

    def _finish(self, incoming: Incoming, pipeline: DepthPipeline, outputs: DepthOutputs, begun: Begun) -> None:
        header = incoming.message.header
        if begun.starts_anew:
            outputs.reset()
        estimate = pipeline.finish(begun)
        outputs.publish_image(header, estimate.frame)
        published = outputs.publish(header, estimate, incoming.received_ns)
        if not published:
            self._complaints.report(
                "relative_depth_withheld",
                self._image_topic,
                f"the scale of model '{self.settings.model}' is unknown, so its depth is not published; set "
                "allow_relative to publish it all the same, or metres_per_unit when you know the scale",
            )
        self._tell(incoming, estimate.status, published)

    def _decode(self, message: Image | CompressedImage) -> Frame:
        if isinstance(message, CompressedImage):
            image = rgb_of_compressed(message, self.settings.max_decoded_pixels)
        else:
            image = rgb_of_image(message)
        stamp_ns = stamp_ns_of(message.header)
        camera = self._cameras.camera_of(stamp_ns, image.shape[1], image.shape[0])
        return Frame(stamp_ns, message.header.frame_id, image, camera)

    def _refuse(self, incoming: Incoming, error: ImageError | CameraError) -> None:
        if isinstance(error, ImageError):
            kind, topic = "bad_image", self._image_topic
        else:
            kind = "missing_camera_info" if isinstance(error, MissingCameraError) else "bad_camera_info"
            topic = self.resolve_topic_name("camera_info")
        self._decline(incoming, Verdict.INVALID_INPUT, kind, topic, str(error))

    def _decline(self, incoming: Incoming, verdict: Verdict, kind: str, topic: str, sentence: str) -> None:
        self._complaints.report(kind, topic, sentence)
        stamp_ns = stamp_ns_of(incoming.message.header)
        status = FrameStatus(stamp_ns, verdict, f"{topic}: {sentence}", model=self.settings.model)
        self._tell(incoming, status, published=False)

    def _tell(self, incoming: Incoming, status: FrameStatus, published: bool) -> None:
        assert self._pipeline is not None
        assert self._outputs is not None
        extra: dict[str, object] = {
            "published": str(published).lower(),
            "device": self._pipeline.estimator.device,
            "dropped_frames": self._dropped,
            "latency_ms": f"{self._latency.add(incoming.received_ns, time.monotonic_ns()):.2f}",
        }
        self._outputs.publish_status(incoming.message.header, incoming.received_ns, status, extra)

    def _check_header(self, header: Header) -> None:
        stamp_ns, topic = stamp_ns_of(header), self._image_topic
        if stamp_ns < self._last_stamp_ns:
            back_s = (self._last_stamp_ns - stamp_ns) / 1e9
            sentence = f"stamps went back by {back_s:.3f} s; state reset (a bag that loops, or two publishers)"
            self._complaints.report("stamps_went_back", topic, sentence)
            if self._pipeline is not None:
                self._pipeline.reset()
        elif stamp_ns == self._last_stamp_ns or stamp_ns == 0:
            sentence = "the stamp is zero or that of the image before; let the driver stamp each image when it is taken"
            self._complaints.report("bad_stamp", topic, sentence)
        self._last_stamp_ns = stamp_ns
        if not header.frame_id:
            sentence = "frame_id is empty; set the camera's optical frame in its driver"
            self._complaints.report("no_frame_id", topic, sentence)
        info_frame_id = self._cameras.frame_id
        if info_frame_id and header.frame_id and info_frame_id != header.frame_id:
            sentence = f"frame_id is '{header.frame_id}' but that of camera_info '{info_frame_id}'; the image's is used"
            self._complaints.report("frame_id_differs", topic, sentence)

    # Parameters and diagnostics

    def _apply(self, settings: DepthNodeSettings) -> None:
        if self._pipeline is not None and self._outputs is not None:
            self._pipeline.apply(settings)
            self._outputs.settings = settings

    def _look_for_faults(self, silent_s: float) -> str:
        settings = self.settings
        patience_s = settings.stale_after_s if self._received else max(settings.stale_after_s, START_PATIENCE_S)
        stale = silent_s > patience_s
        if stale and not self._stale:
            known = "stopped" if self._received else "never came"
            sentence = f"images {known}; check the driver and the topic name"
            self._complaints.report("no_images", self._image_topic, sentence)
        self._stale = stale
        return f"no image on {self._image_topic}" if stale else ""

    def _diagnostic_values(self) -> dict[str, object]:
        return {
            "image_topic": self._image_topic,
            "model": self.settings.model,
            "device": self._pipeline.estimator.device if self._pipeline else "",
            "unwanted_frames": self._unwanted,
        }


def finish_all(begun: HandOver[Callable[[], None]]) -> None:
    """Do what is left of each frame, in order, until there are no more."""
    try:
        while (finish := begun.take()) is not None:
            finish()
    finally:
        begun.close()  # else who begins would wait for ever


def do_nothing() -> None:
    """What is left to do of a frame that nobody wants."""


def main(args: list[str] | None = None) -> int:
    """Entry point of the executable."""
    return run(DepthNode, args)
