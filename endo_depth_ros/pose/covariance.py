"""Covariances of poses: of the graph (body frame, rotation first) and of messages (odom axes, position first)."""

from __future__ import annotations

import numpy as np

from endo_depth_ros.contracts import Scale, ScaleState
from endo_depth_ros.geometry.transforms import Transform, invert_transform
from endo_depth_ros.pose.lie import Array, adjoint


def to_message_order(body: Array, T_odom_camera: Transform) -> Array:
    """Covariance [6, 6] as geometry_msgs/PoseWithCovariance has it: (x, y, z, rotation about x, y, z), odom axes.

    body: covariance of the twist (rotation, translation) in the camera's own frame, T ← T exp(twist), as gtsam has it.
    """
    turn = _turn(T_odom_camera)
    return symmetric(turn @ body @ turn.T)


def to_body_order(message: Array, T_odom_camera: Transform) -> Array:
    """The inverse of to_message_order."""
    turn = _turn(T_odom_camera)
    return symmetric(turn.T @ message @ turn)


def with_scale_error(message: Array, lengths: Array, scale: Scale) -> Array:
    """Covariance [6, 6] whose first three are `lengths` [3], a position or velocity, with the error of a nominal unit.

    All lengths are off by the same share of them. A metric scale comes of the graph, which knows its error, or is
    given; a relative one has no metres to be wrong in.
    """
    if scale.state is not ScaleState.NOMINAL or not np.isfinite(scale.sigma):
        return message
    covariance = message.copy()
    error = lengths * (scale.sigma / scale.value)
    covariance[:3, :3] += np.outer(error, error)
    return covariance


def compose(covariance_a: Array, T_a_b: Transform, covariance_b: Array) -> Array:
    """Body covariance [6, 6] of T_world_a @ T_a_b from those of the two factors, independent of each other."""
    Ad = adjoint(invert_transform(T_a_b))
    return symmetric(Ad @ covariance_a @ Ad.T + covariance_b)


def symmetric(matrix: Array) -> Array:
    """The symmetric part."""
    return 0.5 * (matrix + matrix.T)


def _turn(T_odom_camera: Transform) -> Array:
    R = T_odom_camera[:3, :3]
    turn = np.zeros((6, 6))
    turn[:3, 3:] = turn[3:, :3] = R
    return turn
