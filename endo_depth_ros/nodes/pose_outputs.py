"""What pose_node publishes."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Odometry, Path
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import QoSProfile
from rclpy.qos_overriding_options import QoSOverridingOptions
from std_msgs.msg import Header
from tf2_ros import TransformBroadcaster

from endo_depth_ros.contracts import Scale, ScaleState, TrackingState
from endo_depth_ros.nodes.depth_outputs import STATUS_DEPTH, has_listener
from endo_depth_ros.nodes.frame_tree import FrameTree, FrameTreeError
from endo_depth_ros.nodes.pose_frames import FrameNames, PoseFrames
from endo_depth_ros.nodes.pose_messages import (
    odometry_message,
    pose_status_message,
    stamped_pose,
    transform_message,
)
from endo_depth_ros.nodes.pose_settings import PoseNodeSettings
from endo_depth_ros.nodes.scale_messages import LATCHED, scale_message
from endo_depth_ros.nodes.scale_messages import TOPIC as SCALE_TOPIC
from endo_depth_ros.pose.covariance import with_scale_error
from endo_depth_ros.pose.rigid_body import BodyPose, carry_over, twist_between
from endo_depth_ros.stamps import NANOSECONDS, stamp_ns_of

if TYPE_CHECKING:
    from endo_depth_ros.pose.tracker import TrackedFrame

HISTORY = 10


class WithheldError(RuntimeError):
    """A pose, or its transforms, are not published; the text says why and what to do.

    kind: short key for diagnostics.
    """

    def __init__(self, kind: str, sentence: str) -> None:
        super().__init__(sentence)
        self.kind = kind


class PoseOutputs:
    """The publishers of pose_node."""

    def __init__(self, node: LifecycleNode, settings: PoseNodeSettings) -> None:
        """Create the publishers; they stay silent until the node is active."""
        self.settings = settings
        self._node = node
        self._tree = FrameTree(node)
        self._frames = PoseFrames(self._tree, settings)
        self._odometry = self._publisher(Odometry, "odometry", HISTORY)
        self._path = self._publisher(Path, "path", 1)
        self._status = self._publisher(DiagnosticArray, "pose/status", STATUS_DEPTH)
        self._scale = node.create_lifecycle_publisher(DiagnosticArray, SCALE_TOPIC, LATCHED)
        self._sent_scale = Scale()
        self._broadcaster = TransformBroadcaster(node)
        self._listens_since_ns = time.monotonic_ns()
        self.reset()

    @property
    def tree(self) -> FrameTree:
        """The frames that others publish."""
        return self._tree

    def destroy(self) -> None:
        """Remove the publishers and subscriptions from the node."""
        for publisher in (self._odometry, self._path, self._status, self._scale):
            self._node.destroy_lifecycle_publisher(publisher)
        self._node.destroy_publisher(self._broadcaster.pub_tf)
        self._tree.close()

    def reset(self) -> None:
        """Forget what earlier frames left: path and velocity."""
        self._poses: deque[PoseStamped] = deque(maxlen=self.settings.path_poses)
        self._last_path_ns: int | None = None
        self._last: BodyPose | None = None
        self._segment = 0

    def publish(self, header: Header, tracked: TrackedFrame) -> None:
        """Transforms, odometry and path of a frame. Raises WithheldError where something is not published."""
        self._check_worth(tracked)
        names = self._frames.names(tracked.pose.frame_id)
        try:
            T_camera_base = self._frames.locate_base(names, stamp_ns_of(header), not self.settings.synchronous)
        except FrameTreeError as error:
            raise WithheldError("no_base_frame", str(error)) from error
        body = carry_over(tracked.pose, T_camera_base)
        if tracked.segment != self._segment:
            self.reset()
            self._segment = tracked.segment
        try:
            if self.settings.publish_tf:
                self._send_transforms(header, names, body, tracked)
        finally:
            self._publish_odometry(header, names, body, tracked.pose.scale)
            self._publish_path(header, names, body, tracked)

    def publish_scale(self, header: Header, scale: Scale, reason: str) -> None:
        """The scale to apply from now on, once."""
        if scale != self._sent_scale:
            self._scale.publish(scale_message(header, scale, reason))
            self._sent_scale = scale

    def publish_status(self, header: Header, tracked: TrackedFrame, extra: Mapping[str, object]) -> None:
        """The status of one frame."""
        if has_listener(self._status):
            self._status.publish(pose_status_message(header, tracked, extra))

    def _check_worth(self, tracked: TrackedFrame) -> None:
        """Raise WithheldError for a pose that must not be taken for one."""
        if tracked.pose.state is TrackingState.LOST or not np.isfinite(tracked.pose.covariance).all():
            raise WithheldError("lost", "the camera's pose is not known")
        if tracked.pose.scale.state is ScaleState.RELATIVE and not self.settings.allow_relative:
            raise WithheldError(
                "relative_pose_withheld",
                "the scale of the depth is unknown, so poses are not published; set allow_relative to publish them all "
                "the same, or metres_per_unit of depth_node when you know the scale",
            )
        listened_s = (time.monotonic_ns() - self._listens_since_ns) / NANOSECONDS
        if listened_s < self.settings.tf_wait_s:
            raise WithheldError("listening", f"listening for transforms of others for {self.settings.tf_wait_s} s")

    def _send_transforms(self, header: Header, names: FrameNames, body: BodyPose, tracked: TrackedFrame) -> None:
        try:
            edges = self._frames.edges(names, body.T_odom_body, tracked.T_map_odom)
        except FrameTreeError as error:
            raise WithheldError("no_tree", str(error)) from error
        self._broadcaster.sendTransform(
            [transform_message(header, edge.parent, edge.child, edge.T_parent_child) for edge in edges]
        )

    def _publish_odometry(self, header: Header, names: FrameNames, body: BodyPose, scale: Scale) -> None:
        twist = None if self._last is None else twist_between(self._last, body)
        self._last = body
        if not has_listener(self._odometry):
            return
        # Only now: both ends of a step have the same error of scale, which is none of the velocity but its share.
        placed = replace(body, covariance=with_scale_error(body.covariance, body.T_odom_body[:3, 3], scale))
        if twist is not None:
            twist = replace(twist, covariance=with_scale_error(twist.covariance, twist.velocity[:3], scale))
        self._odometry.publish(odometry_message(header, names.odom, names.base, placed, twist))

    def _publish_path(self, header: Header, names: FrameNames, body: BodyPose, tracked: TrackedFrame) -> None:
        stamp_ns, period_ns = stamp_ns_of(header), NANOSECONDS / self.settings.path_rate_hz
        if self._last_path_ns is not None and stamp_ns - self._last_path_ns < period_ns:
            return
        self._last_path_ns = stamp_ns
        frame = names.map or names.odom
        T_frame_base = tracked.T_map_odom @ body.T_odom_body if names.map else body.T_odom_body
        self._poses.append(stamped_pose(header, frame, T_frame_base))
        if has_listener(self._path):
            message = Path(header=Header(stamp=header.stamp, frame_id=frame), poses=list(self._poses))
            self._path.publish(message)

    def _publisher(self, message_type: type, topic: str, depth: int) -> Any:
        overriding = QoSOverridingOptions.with_default_policies()
        return self._node.create_lifecycle_publisher(
            message_type, topic, QoSProfile(depth=depth), qos_overriding_options=overriding
        )
