"""Poses as ROS messages. Stamps always come from the header of the image they belong to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import Pose, PoseStamped, Transform, TransformStamped, TwistWithCovariance
from nav_msgs.msg import Odometry
from std_msgs.msg import Header

from endo_depth_ros.contracts import ScaleState, TrackingState
from endo_depth_ros.geometry import transforms
from endo_depth_ros.nodes.messages import diagnostic, diagnostics_message
from endo_depth_ros.pose.rigid_body import BodyPose, BodyTwist

if TYPE_CHECKING:
    from endo_depth_ros.pose.tracker import TrackedFrame

SCHEMA_VERSION = 1
# What a covariance says of a velocity that nobody knows.
UNKNOWN = 1e6
LEVELS = {
    TrackingState.TRACKING: DiagnosticStatus.OK,
    TrackingState.RELOCALISED: DiagnosticStatus.OK,
    TrackingState.INITIALISING: DiagnosticStatus.WARN,
    TrackingState.DEGRADED: DiagnosticStatus.WARN,
    TrackingState.LOST: DiagnosticStatus.ERROR,
}


def pose_message(T_a_b: transforms.Transform) -> Pose:
    """The pose of b in a."""
    message = Pose()
    message.position.x, message.position.y, message.position.z = T_a_b[:3, 3].tolist()
    q = message.orientation
    q.x, q.y, q.z, q.w = transforms.quaternion_xyzw(T_a_b).tolist()
    return message


def transform_message(
    header: Header, parent: str, child: str, T_parent_child: transforms.Transform
) -> TransformStamped:
    """The transform of child in parent, stamped as the header."""
    message = TransformStamped(header=Header(stamp=header.stamp, frame_id=parent), child_frame_id=child)
    pose = pose_message(T_parent_child)
    move = message.transform.translation
    move.x, move.y, move.z = pose.position.x, pose.position.y, pose.position.z
    message.transform = Transform(translation=move, rotation=pose.orientation)
    return message


def odometry_message(header: Header, odom: str, child: str, pose: BodyPose, twist: BodyTwist | None) -> Odometry:
    """Odometry: the pose of child in odom, the velocity in the axes of child; without one its covariance is huge."""
    message = Odometry(header=Header(stamp=header.stamp, frame_id=odom), child_frame_id=child)
    message.pose.pose = pose_message(pose.T_odom_body)
    message.pose.covariance = pose.covariance.ravel()
    message.twist = twist_message(twist)
    return message


def twist_message(twist: BodyTwist | None) -> TwistWithCovariance:
    """The velocity and its covariance."""
    message = TwistWithCovariance()
    if twist is None:
        message.covariance = (UNKNOWN * np.eye(6)).ravel()
        return message
    linear, angular = message.twist.linear, message.twist.angular
    linear.x, linear.y, linear.z, angular.x, angular.y, angular.z = twist.velocity.tolist()
    message.covariance = twist.covariance.ravel()
    return message


def stamped_pose(header: Header, frame: str, T_frame_body: transforms.Transform) -> PoseStamped:
    """One pose of a path."""
    return PoseStamped(header=Header(stamp=header.stamp, frame_id=frame), pose=pose_message(T_frame_body))


def pose_status_message(header: Header, tracked: TrackedFrame, extra: Mapping[str, object]) -> DiagnosticArray:
    """The per-frame status; the keys are documented in docs/nodes/pose_node.md."""
    pose = tracked.pose
    values: dict[str, object] = {
        "schema_version": SCHEMA_VERSION,
        "state": pose.state.value,
        "reason": tracked.reason,
        "segment": tracked.segment,
        "correction": tracked.correction,
        "points": tracked.points,
        "keyframe": str(tracked.is_keyframe).lower(),
        "depth_refined": str(tracked.depth_from_motion is not None).lower(),
        "depth_factor": repr(math.exp(tracked.log_scale)),
        "scale_state": pose.scale.state.value,
        "scale": repr(pose.scale.value),
        "scale_sigma": repr(pose.scale.sigma),
        "scale_epoch": pose.scale.epoch,
        **extra,
    }
    level, message = LEVELS[pose.state], tracked.reason or pose.state.value
    if level == DiagnosticStatus.OK and pose.scale.state is ScaleState.RELATIVE:
        level, message = DiagnosticStatus.WARN, "scale unknown: poses are not in metres"
    return diagnostics_message(header, [diagnostic("pose", level, message, values, header.frame_id)])
