"""The robot as factors: right at the truth, right derivatives."""

from __future__ import annotations

import gtsam
import numpy as np
from robot_world import T_BASE_WORLD, T_TOOL_CAMERA

from endo_depth_ros.geometry.transforms import invert_transform
from endo_depth_ros.pose.hand_eye import HandEye
from endo_depth_ros.pose.kinematic_factors import BASE, HAND_EYE, kinematic_factor
from endo_depth_ros.pose.kinematics import KinematicPose
from endo_depth_ros.pose.lie import exp_se3
from endo_depth_ros.pose.structure_factor import pose_key

T_MAP_CAMERA = exp_se3(np.array([0.2, -0.3, 0.1, 0.02, 0.03, 0.01]))
LOG_SCALE = 0.4


def values_at(offset: np.ndarray) -> gtsam.Values:
    """The truth, moved by [18]: camera, base, hand-eye."""
    values = gtsam.Values()
    values.insert(pose_key(1), gtsam.Pose3(T_MAP_CAMERA @ exp_se3(offset[:6])))
    values.insert(BASE, gtsam.Pose3(invert_transform(T_BASE_WORLD) @ exp_se3(offset[6:12])))
    values.insert(HAND_EYE, gtsam.Pose3(T_TOOL_CAMERA @ exp_se3(offset[12:18])))
    return values


def factor() -> gtsam.CustomFactor:
    metric = T_MAP_CAMERA.copy()
    metric[:3, 3] *= np.exp(LOG_SCALE)
    T_base_tool = T_BASE_WORLD @ metric @ invert_transform(T_TOOL_CAMERA)
    covariance = np.diag([0.005**2] * 3 + [0.001**2] * 3)
    return kinematic_factor(
        pose_key(1), KinematicPose(0, T_base_tool, covariance), HandEye(T_TOOL_CAMERA, LOG_SCALE, np.eye(7))
    )


def test_truth_leaves_no_error() -> None:
    assert factor().error(values_at(np.zeros(18))) < 1e-12


def test_gradient_is_that_of_the_error() -> None:
    rng = np.random.default_rng(0)
    start, made = 1e-3 * rng.normal(size=18), factor()
    linear = made.linearize(values_at(start))
    A, b = linear.jacobian()
    assert list(linear.keys()) == [pose_key(1), BASE, HAND_EYE]
    gradient = -A.T @ b
    for column in range(18):
        step = np.zeros(18)
        step[column] = 1e-6
        numeric = (made.error(values_at(start + step)) - made.error(values_at(start - step))) / 2e-6
        assert abs(numeric - gradient[column]) < 0.02 * np.abs(gradient).max()
