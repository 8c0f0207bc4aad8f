"""What depth_node publishes: one method per topic, each computed only when somebody listens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from numpy.typing import NDArray
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from std_msgs.msg import Header

from endo_depth_ros.contracts import DepthEstimate, Frame, FrameStatus, ScaleState
from endo_depth_ros.geometry.camera import Camera
from endo_depth_ros.geometry.pointcloud import PointCloudBuilder
from endo_depth_ros.imaging.color_range import ColorRange
from endo_depth_ros.imaging.colormap import colorize_depth
from endo_depth_ros.nodes.depth_settings import DepthNodeSettings
from endo_depth_ros.nodes.frame_handover import FrameConsumer, IncomingFrame
from endo_depth_ros.nodes.messages import (
    depth_in_millimetres,
    image_message,
    points_message,
    rectified_camera_info_message,
    status_message,
)

STATUS_DEPTH = 100


@dataclass(frozen=True)
class Wanted:
    """Who listens now."""

    depth: bool
    image: bool


class DepthOutputs:
    """The publishers of depth_node."""

    def __init__(self, node: LifecycleNode, settings: DepthNodeSettings, consumer: FrameConsumer | None = None) -> None:
        """Create the publishers; they stay silent until the node is active. consumer: takes every frame in memory."""
        self.settings = settings
        self._consumer = consumer
        self._node = node
        # Live consumers want the newest image; in replay every frame must reach a recorder that is briefly busy.
        history = settings.queue_size if settings.processing == "every" else 1
        images = QoSProfile(depth=history, reliability=ReliabilityPolicy.RELIABLE)
        self._depth = self._publisher(Image, "depth/image_rect", images)
        self._camera_info = self._publisher(CameraInfo, "depth/camera_info", images)
        self._rgb = self._publisher(Image, "rgb/image_rect", images)
        self._sigma = self._publisher(Image, "depth/sigma", images)
        self._points = self._publisher(PointCloud2, "depth/points", images)
        self._color = self._publisher(Image, "depth/image_color", images)
        self._status = self._publisher(DiagnosticArray, "depth/status", QoSProfile(depth=STATUS_DEPTH))
        self._point_builder: PointCloudBuilder | None = None
        self._point_camera: Camera | None = None
        self._color_range = ColorRange()

    def destroy(self) -> None:
        """Remove the publishers from the node."""
        publishers = (self._depth, self._camera_info, self._rgb, self._sigma, self._points, self._color, self._status)
        for publisher in publishers:
            self._node.destroy_lifecycle_publisher(publisher)

    def wanted(self) -> Wanted:
        """Whether depth, or only the rectified colour image, has to be computed."""
        depth = (self._depth, self._camera_info, self._sigma, self._points, self._color, self._status)
        is_wanted = self._consumer is not None or any(map(has_listener, depth))
        return Wanted(is_wanted, has_listener(self._rgb))

    def publish_image(self, header: Header, frame: Frame) -> None:
        """The rectified colour image."""
        if has_listener(self._rgb):
            self._rgb.publish(image_message(header, frame.image, "rgb8"))

    def publish(self, header: Header, estimate: DepthEstimate, received_ns: int) -> bool:
        """Everything that a frame's depth gives; False when its scale is unknown and relative depth is not allowed.

        received_ns: when the image came, by the steady clock.
        """
        if estimate.status.scale.state is ScaleState.RELATIVE and not self.settings.allow_relative:
            return False
        # First, so that the next node works while this one serialises messages.
        self._hand_over(header, received_ns, lambda: estimate)
        if has_listener(self._depth):
            self._depth.publish(self._depth_message(header, estimate.depth))
        if has_listener(self._camera_info):
            self._camera_info.publish(rectified_camera_info_message(header, estimate.frame.camera))
        if has_listener(self._sigma):
            self._sigma.publish(image_message(header, estimate.sigma, "32FC1"))
        if has_listener(self._points):
            self._points.publish(points_message(header, self._cloud(estimate)))
        if has_listener(self._color):
            self._color.publish(image_message(header, self._colors(estimate.depth), "rgb8"))
        return True

    def publish_status(self, header: Header, received_ns: int, status: FrameStatus, extra: dict[str, object]) -> None:
        """The status of one frame, whose image came at received_ns of the steady clock."""
        if extra["published"] == "false":
            self._hand_over(header, received_ns, lambda: status)
        if has_listener(self._status):
            self._status.publish(status_message(header, status, extra))

    def _hand_over(self, header: Header, received_ns: int, read: Callable[[], DepthEstimate | FrameStatus]) -> None:
        if self._consumer is not None:
            self._consumer.take(IncomingFrame(header, received_ns, read))

    def reset(self) -> None:
        """Forget what earlier frames taught."""
        self._color_range = ColorRange()

    def _publisher(self, message_type: type, topic: str, qos: QoSProfile) -> Any:
        overriding = QoSOverridingOptions.with_default_policies()
        return self._node.create_lifecycle_publisher(message_type, topic, qos, qos_overriding_options=overriding)

    def _depth_message(self, header: Header, depth: NDArray[np.float32]) -> Image:
        if self.settings.depth_encoding == "16UC1":
            return image_message(header, depth_in_millimetres(depth), "16UC1")
        return image_message(header, depth, "32FC1")

    def _cloud(self, estimate: DepthEstimate) -> NDArray[np.void]:
        frame = estimate.frame
        if self._point_builder is None or self._point_camera != frame.camera:
            self._point_builder, self._point_camera = PointCloudBuilder(frame.camera), frame.camera
        if self.settings.organised_points:
            return self._point_builder.organised_points(estimate.depth, frame.image)
        return self._point_builder.dense_points(estimate.depth, frame.image)

    def _colors(self, depth: NDArray[np.float32]) -> NDArray[np.uint8]:
        near, far = self._color_range.update(depth)
        near, far = self.settings.color_near_m or near, self.settings.color_far_m or far
        return colorize_depth(depth, min(near, 0.999 * far), far)


def has_listener(publisher: Any) -> bool:
    """Whether anybody subscribes to the publisher's topic."""
    return bool(publisher.get_subscription_count() > 0)
