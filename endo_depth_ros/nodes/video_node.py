"""video_node: a video file, image folder or V4L2 camera becomes image_raw and camera_info."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import Quaternion, TransformStamped
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.task import Future
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header
from tf2_ros import StaticTransformBroadcaster

from endo_depth_ros.bags.camera_yaml import read_camera
from endo_depth_ros.bags.device import DeviceSource, device_index
from endo_depth_ros.bags.factory import open_source
from endo_depth_ros.bags.source import NO_CALIBRATION, FrameSource, SourceError, SourceFrame
from endo_depth_ros.geometry.camera import Camera, CameraError, pinhole_from_hfov
from endo_depth_ros.nodes.complaints import Complaints
from endo_depth_ros.nodes.messages import camera_info_message, image_message
from endo_depth_ros.nodes.parameters import Parameters
from endo_depth_ros.nodes.playback_schedule import PlaybackSchedule
from endo_depth_ros.nodes.runner import StartError, run
from endo_depth_ros.nodes.subscribers import wait_acknowledged, wait_for_subscribers
from endo_depth_ros.nodes.video_settings import REAL_TIME, VideoSettings
from endo_depth_ros.nodes.worker import Worker
from endo_depth_ros.stamps import stamp_ns_of

# A little more than one, so that a busy moment of a subscriber costs no frame.
QUEUE_DEPTH = 5
LAST_FRAMES_DEADLINE_S = 2.0
# A source that falls farther behind slows down instead of sending a burst.
CATCH_UP_S = 0.1
STOP_POLL_S = 0.1
# REP-103: from a body frame (x forward, y left, z up) to the optical frame (z forward, x right, y down).
BODY_TO_OPTICAL = Quaternion(x=-0.5, y=0.5, z=-0.5, w=0.5)


class VideoNode(Node):
    """Publishes a source's frames. Topics and behaviour: docs/nodes/video_node.md."""

    def __init__(self, **node_options: Any) -> None:
        """Open the source and start publishing. Raises SettingsError or StartError."""
        super().__init__("video_node", **node_options)
        self.done: Future = Future()
        self.settings = Parameters(self, VideoSettings).settings
        self._complaints = Complaints(self.get_logger())
        self._schedule = PlaybackSchedule(self.settings.rate)
        self._source, self._live = self._open_source()
        if self._source.warning:
            self.get_logger().warning(self._source.warning)
        qos = QoSProfile(depth=QUEUE_DEPTH)
        options = QoSOverridingOptions.with_default_policies()
        self._images = self.create_publisher(Image, "image_raw", qos, qos_overriding_options=options)
        self._infos = self.create_publisher(CameraInfo, "camera_info", qos, qos_overriding_options=options)
        self._consumed = threading.Condition()
        self._consumed_ns = -1
        if self.settings.pacing != REAL_TIME and self.settings.consumed_topic:
            self.create_subscription(DiagnosticArray, self.settings.consumed_topic, self._note_consumed, 100)
        self._join_frames()
        self._worker = Worker(self, self._publish_all, self.done)
        self._worker.start()

    def destroy_node(self) -> None:
        """Stop publishing, then destroy the node."""
        self._worker.stop()
        super().destroy_node()

    def _open_source(self) -> tuple[FrameSource, bool]:
        settings = self.settings
        index = device_index(settings.source)
        try:
            camera = read_camera(Path(settings.camera_file).expanduser()) if settings.camera_file else None
            if index is not None:
                size = (settings.device_width, settings.device_height)
                return DeviceSource(index, camera, settings.frame_id, size, settings.fps), True
            path = Path(settings.source).expanduser()
            return open_source(path, camera, settings.fps or None, frame_id=settings.frame_id), False
        except (SourceError, CameraError) as error:
            raise StartError(str(error)) from error

    def _join_frames(self) -> None:
        if not self.settings.parent_frame_id:
            return
        transform = TransformStamped()
        transform.header.stamp = self.get_clock().now().to_msg()
        transform.header.frame_id = self.settings.parent_frame_id
        transform.child_frame_id = self.settings.frame_id
        transform.transform.rotation = BODY_TO_OPTICAL
        self._broadcaster = StaticTransformBroadcaster(self)
        self._broadcaster.sendTransform(transform)

    def _publish_all(self, stop: threading.Event) -> int:
        if self.settings.wait_for_subscriber and not self._live:
            who = self.settings.wait_for_node or "somebody"
            self.get_logger().info(f"{self._source.name}: waiting until {who} subscribes to {self._images.topic_name}")
            wait_for_subscribers(self, [self._images], stop, 0.0, self.settings.wait_for_node)
        count = self._publish_once(stop)
        while self.settings.loop and not stop.is_set():
            count += self._publish_once(stop)
        wait_acknowledged([self._images, self._infos], stop, LAST_FRAMES_DEADLINE_S)
        self.get_logger().info(f"{self._source.name}: the end, {count} frames published")
        return 0

    def _publish_once(self, stop: threading.Event) -> int:
        """All frames of the source, each when it is due; returns how many had an image.

        Raises SourceError when none of a file's frames had one.
        """
        count, first_ns = 0, None
        for frame in self._source:
            if stop.is_set():
                break
            if first_ns is None:
                first_ns = frame.stamp_ns
                self._schedule.start(first_ns, time.monotonic())
            if frame.image is None:
                self._complaints.report("bad_image", self._source.name, frame.error)
                continue
            if not self._live and self.settings.pacing == REAL_TIME:
                self._wait_until_due(frame.stamp_ns, stop)
            if stop.is_set():
                break
            stamp_ns = self._publish(frame)
            count += 1
            if self.settings.pacing != REAL_TIME:
                self._wait_until_consumed(stamp_ns, stop)
        if count == 0 and not stop.is_set():
            raise SourceError(f"{self._source.name}: none of its frames can be read; check the file")
        return count

    def _wait_until_due(self, stamp_ns: int, stop: threading.Event) -> None:
        now_s = time.monotonic()
        delay_s = self._schedule.due_s(stamp_ns) - now_s
        if delay_s > 0:
            stop.wait(delay_s)
        self._schedule.give_way(stamp_ns, now_s, CATCH_UP_S)

    def _publish(self, frame: SourceFrame) -> int:
        """Publish camera_info, then the image, both stamped now; returns the stamp."""
        assert frame.image is not None
        now = self.get_clock().now()
        header = Header(stamp=now.to_msg(), frame_id=self.settings.frame_id)
        camera = self._camera_of(frame)
        if camera is not None:
            self._infos.publish(camera_info_message(header, camera))
        self._images.publish(image_message(header, frame.image, "rgb8"))
        return int(now.nanoseconds)

    def _camera_of(self, frame: SourceFrame) -> Camera | None:
        assert frame.image is not None
        if self.settings.hfov_deg > 0:
            height, width = frame.image.shape[:2]
            return pinhole_from_hfov(width, height, self.settings.hfov_deg)
        if frame.camera is None and frame.camera_error != NO_CALIBRATION:
            self._complaints.report("bad_camera", self.settings.camera_file or self._source.name, frame.camera_error)
        return frame.camera

    def _note_consumed(self, message: DiagnosticArray) -> None:
        with self._consumed:
            self._consumed_ns = max(self._consumed_ns, stamp_ns_of(message.header))
            self._consumed.notify_all()

    def _wait_until_consumed(self, stamp_ns: int, stop: threading.Event) -> None:
        timeout_s = self.settings.consumed_timeout_s
        if not self.settings.consumed_topic:
            consumed = not wait_acknowledged([self._images], stop, timeout_s)
        else:
            consumed = self._wait_for_stamp(stamp_ns, stop, timeout_s)
        if not consumed and not stop.is_set():
            what = self.settings.consumed_topic or self._images.topic_name
            sentence = f"nobody consumed a frame within {timeout_s} s; start the consumer or set pacing to real_time"
            self._complaints.report("not_consumed", what, sentence)

    def _wait_for_stamp(self, stamp_ns: int, stop: threading.Event, timeout_s: float) -> bool:
        end_s = time.monotonic() + timeout_s
        with self._consumed:
            while self._consumed_ns < stamp_ns:
                if stop.is_set() or time.monotonic() > end_s:
                    return False
                self._consumed.wait(min(STOP_POLL_S, timeout_s))
        return True


def main(args: list[str] | None = None) -> int:
    """Run video_node until the end of its source or a signal."""
    return run(VideoNode, args)
