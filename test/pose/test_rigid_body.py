"""Poses, velocities and covariances of a body that the camera is fixed to."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endo_depth_ros.contracts import PoseEstimate, TrackingState
from endo_depth_ros.pose.covariance import to_message_order
from endo_depth_ros.pose.lie import exp_se3
from endo_depth_ros.pose.rigid_body import BodyPose, carry_over, twist_between

SECOND = 10**9
TWISTS = st.lists(st.floats(-0.5, 0.5), min_size=6, max_size=6)


def pose_of(T, body_covariance, stamp_ns=SECOND):
    return PoseEstimate(stamp_ns, "c", TrackingState.TRACKING, T, to_message_order(body_covariance, T))


@given(TWISTS, TWISTS)
def test_the_body_is_where_the_camera_carries_it_with_the_spread_of_samples(pose, lever):
    """Against brute force: perturb the camera in odom's axes and see how the body moves."""
    T_odom_camera, T_camera_body = exp_se3(np.array(pose)), exp_se3(np.array(lever))
    rng = np.random.default_rng(0)
    root = rng.normal(size=(6, 6)) * 1e-4
    body = carry_over(pose_of(T_odom_camera, root @ root.T), T_camera_body)
    np.testing.assert_allclose(body.T_odom_body, T_odom_camera @ T_camera_body)
    # Linear: each column of the root is one standard deviation of the camera's twist.
    spread = np.zeros((6, 6))
    for twist in root.T:
        moved = T_odom_camera @ exp_se3(twist) @ T_camera_body
        shift = moved[:3, 3] - body.T_odom_body[:3, 3]
        skew = moved[:3, :3] @ body.T_odom_body[:3, :3].T
        turn = 0.5 * np.array([skew[2, 1] - skew[1, 2], skew[0, 2] - skew[2, 0], skew[1, 0] - skew[0, 1]])
        step = np.concatenate([shift, turn])
        spread += np.outer(step, step)
    np.testing.assert_allclose(body.covariance, spread, atol=2e-3 * np.abs(spread).max())


def test_a_body_at_the_camera_has_the_cameras_pose():
    T = exp_se3(np.array([0.1, 0.2, 0.3, 1, 2, 3.0]))
    pose = pose_of(T, np.diag([1, 2, 3, 4, 5, 6.0]))
    body = carry_over(pose, np.eye(4))
    np.testing.assert_allclose(body.T_odom_body, T)
    np.testing.assert_allclose(body.covariance, pose.covariance, atol=1e-12)


def test_velocity_is_linear_first_in_the_axes_of_the_body():
    start = exp_se3(np.array([0, 0, np.pi / 2, 1, 2, 3.0]))
    step = np.array([0.0, 0.0, 0.0, 0.01, 0.0, 0.0])
    poses = [BodyPose(SECOND + i * SECOND // 2, start @ exp_se3(i * step), 1e-8 * np.eye(6)) for i in range(2)]
    twist = twist_between(*poses)
    assert twist is not None
    np.testing.assert_allclose(twist.velocity, [0.02, 0, 0, 0, 0, 0], atol=1e-12)
    assert twist.covariance[0, 0] == pytest.approx((1e-8 + 1e-8) / 0.25, rel=0.01)


def test_without_time_between_there_is_no_velocity():
    pose = BodyPose(SECOND, np.eye(4), np.eye(6))
    assert twist_between(pose, pose) is None
