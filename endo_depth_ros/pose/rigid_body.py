"""Poses and velocities of a body that the camera is fixed to, as nav_msgs/Odometry has them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from endo_depth_ros.contracts import PoseEstimate
from endo_depth_ros.geometry.transforms import Transform, invert_transform
from endo_depth_ros.pose.covariance import compose, symmetric, to_body_order, to_message_order
from endo_depth_ros.pose.lie import Array, log_se3
from endo_depth_ros.stamps import NANOSECONDS

# Twists are (rotation, translation) in the graph, (linear, angular) in messages.
SWAPPED = [3, 4, 5, 0, 1, 2]


@dataclass(frozen=True, eq=False)
class BodyPose:
    """Where a body is. T_odom_body: [4, 4], metres. covariance: [6, 6] in the order and axes of a ROS pose in odom."""

    stamp_ns: int
    T_odom_body: Transform
    covariance: Array


@dataclass(frozen=True, eq=False)
class BodyTwist:
    """Velocity in the body's axes: (linear, angular) [6], m/s and rad/s, and its covariance [6, 6]."""

    velocity: Array
    covariance: Array


def carry_over(pose: PoseEstimate, T_camera_body: Transform) -> BodyPose:
    """The body's pose from the camera's; the place of the body in the camera's frame is taken as exact."""
    T_odom_body = pose.T_odom_camera @ T_camera_body
    camera = to_body_order(pose.covariance, pose.T_odom_camera)
    body = compose(camera, T_camera_body, np.zeros((6, 6)))
    return BodyPose(pose.stamp_ns, T_odom_body, to_message_order(body, T_odom_body))


def twist_between(earlier: BodyPose, later: BodyPose) -> BodyTwist | None:
    """The mean velocity from one pose to the next, in the body's axes at the later one; None without time between.

    The errors of the two poses are taken as independent. Those of successive poses have much in common, so the
    covariance is an upper bound.
    """
    step_s = (later.stamp_ns - earlier.stamp_ns) / NANOSECONDS
    if step_s <= 0:
        return None
    moved = invert_transform(earlier.T_odom_body) @ later.T_odom_body
    velocity = log_se3(moved) / step_s
    bodies = [to_body_order(each.covariance, each.T_odom_body) for each in (earlier, later)]
    covariance = compose(bodies[0], moved, bodies[1]) / step_s**2
    return BodyTwist(velocity[SWAPPED], symmetric(covariance[np.ix_(SWAPPED, SWAPPED)]))
