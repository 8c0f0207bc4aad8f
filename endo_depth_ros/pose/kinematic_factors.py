"""A robot's poses of keyframes as factors, with the hand-eye pose and the scale as unknowns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.spatial.transform import Rotation

from endo_depth_ros.geometry.transforms import Transform, invert_transform
from endo_depth_ros.pose.graph_library import gtsam
from endo_depth_ros.pose.hand_eye import HandEye
from endo_depth_ros.pose.keyframe import Keyframe
from endo_depth_ros.pose.kinematics import KinematicPose, Kinematics
from endo_depth_ros.pose.lie import Array, adjoint, skew
from endo_depth_ros.pose.robust import THRESHOLD
from endo_depth_ros.pose.structure_factor import pose_key, scale_key
from endo_depth_ros.pose.window import KeyframeFactors

BASE, HAND_EYE, SCALE = (int(gtsam.symbol(letter, 0)) for letter in "bhm")
# Of T_map_base before anything is known of it, radians and metres: loose, but the graph needs a solution.
ANYWHERE = np.array([3.0] * 3 + [10.0] * 3)
# However sure the hand-eye pose seems: no less than this between two beginnings (radians, metres, log-scale).
FLOOR = np.array([1e-3] * 3 + [1e-4] * 3 + [2e-3])
# Keyframes whose depth the scale is an average of: flicker goes, what the depth of another place differs by stays.
MEMORY = 24


class KinematicFactors(KeyframeFactors):
    """Knowledge from a robot for one window: where each keyframe's camera is in the robot's base.

    The unknowns are T_map_base (metres), T_tool_camera and the logarithm of metres per unit of the map.
    """

    def __init__(self, kinematics: Kinematics, start: HandEye) -> None:
        """start: the hand-eye pose and the scale of the window's map, with what is known of them as covariance."""
        self._kinematics, self._start = kinematics, start
        self._base: Transform | None = None
        self._now = start
        self._numbers: list[int] = []  # of the keyframes in the window
        self._depth_in_map: dict[int, float] = {}  # log_scale of the newest MEMORY keyframes
        self.result: HandEye | None = None  # after each optimisation; may be read on another thread

    def extend(self, graph: gtsam.NonlinearFactorGraph, values: gtsam.Values, keyframes: Sequence[Keyframe]) -> None:
        """See KeyframeFactors."""
        self._numbers = [each.number for each in keyframes]
        known = [(each, self._kinematics.pose_at(each.stamp_ns)) for each in keyframes]
        poses = [(each, pose) for each, pose in known if pose is not None]
        if self._base is None:
            if not poses:
                return
            self._base = self._find_base(*poses[0])
        self._add_unknowns(graph, values)
        for keyframe, pose in poses:
            graph.add(kinematic_factor(pose_key(keyframe.number), pose, self._start.T_tool_camera))

    def learn(self, graph: gtsam.NonlinearFactorGraph, values: gtsam.Values) -> None:
        """See KeyframeFactors."""
        if self._base is None:
            return
        self._base = values.atPose3(BASE).matrix()
        X, log_scale = values.atPose3(HAND_EYE).matrix(), float(values.atVector(SCALE)[0])
        scales = [scale_key(number) for number in self._numbers]
        keys = gtsam.KeyVector([HAND_EYE, SCALE, *scales])
        joint = np.array(gtsam.Marginals(graph, values).jointMarginalCovariance(keys).fullMatrix())
        self._now = HandEye(X, log_scale, joint[:7, :7])
        # Metres per unit of depth: of the map, times what the depth of the newest keyframes differs from the map by.
        for number, key in zip(self._numbers, scales, strict=True):
            self._depth_in_map[number] = float(values.atVector(key)[0])
        while len(self._depth_in_map) > MEMORY:
            del self._depth_in_map[next(iter(self._depth_in_map))]
        logs = np.array(list(self._depth_in_map.values()))
        J = np.zeros((7, len(joint)))
        J[:7, :7], J[6, 7:] = np.eye(7), 1 / len(scales)
        spread = np.diag([0.0] * 6 + [logs.var() / len(logs)])
        self.result = HandEye(X, log_scale + float(logs.mean()), J @ joint @ J.T + spread)

    def _find_base(self, keyframe: Keyframe, pose: KinematicPose) -> Transform:
        S = keyframe.T_map_camera.copy()
        S[:3, 3] *= np.exp(self._start.log_scale)
        return S @ invert_transform(pose.T_base_tool @ self._start.T_tool_camera)

    def _add_unknowns(self, graph: gtsam.NonlinearFactorGraph, values: gtsam.Values) -> None:
        """Initial values and what was known of hand-eye pose and scale before the window began."""
        assert self._base is not None
        values.insert(BASE, gtsam.Pose3(self._base))
        values.insert(HAND_EYE, gtsam.Pose3(self._now.T_tool_camera))
        values.insert(SCALE, np.array([self._now.log_scale]))
        anywhere = gtsam.noiseModel.Diagonal.Sigmas(ANYWHERE)
        graph.add(gtsam.PriorFactorPose3(BASE, gtsam.Pose3(self._base), anywhere))
        graph.add(_start_factor(self._start))


def kinematic_factor(key: int, pose: KinematicPose, T_tool_camera: Transform) -> gtsam.CustomFactor:
    """The robot's pose of a keyframe's camera; T_tool_camera, about right, turns the covariance into its frame."""
    Ad = adjoint(invert_transform(T_tool_camera))
    # The position's error is one at the camera; a lever would add that of the orientation.
    Ad[3:, :3] = 0
    noise = gtsam.noiseModel.Robust.Create(
        gtsam.noiseModel.mEstimator.Huber.Create(THRESHOLD * np.sqrt(6)),
        gtsam.noiseModel.Gaussian.Covariance(Ad @ pose.covariance @ Ad.T),
    )

    def evaluate(_: gtsam.CustomFactor, values: gtsam.Values, jacobians: list[Array] | None) -> Array:
        T_map_camera, Y = values.atPose3(key).matrix(), values.atPose3(BASE).matrix()
        X, scale = values.atPose3(HAND_EYE).matrix(), float(np.exp(values.atVector(SCALE)[0]))
        R, moved = T_map_camera[:3, :3], scale * T_map_camera[:3, 3]
        by_robot = Y @ pose.T_base_tool @ X
        E = R.T @ by_robot[:3, :3]
        apart = R.T @ (by_robot[:3, 3] - moved)
        if jacobians is not None:
            straight = np.zeros((6, 6))
            straight[:3, :3], straight[3:, 3:] = np.eye(3), E
            camera = np.zeros((6, 6))
            camera[:3, :3], camera[3:, :3], camera[3:, 3:] = -E.T, skew(apart), -scale * np.eye(3)
            jacobians[0] = np.asfortranarray(camera)
            jacobians[1] = np.asfortranarray(straight @ adjoint(invert_transform(pose.T_base_tool @ X)))
            jacobians[2] = np.asfortranarray(straight)
            jacobians[3] = np.asfortranarray(np.concatenate([np.zeros(3), -R.T @ moved])[:, None])
        return np.concatenate([Rotation.from_matrix(E).as_rotvec(), apart])

    return gtsam.CustomFactor(noise, [key, BASE, HAND_EYE, SCALE], evaluate)


def _start_factor(start: HandEye) -> gtsam.CustomFactor:
    """What is known of hand-eye pose and scale together."""
    noise = gtsam.noiseModel.Gaussian.Covariance(start.covariance + np.diag(FLOOR**2))

    def evaluate(_: gtsam.CustomFactor, values: gtsam.Values, jacobians: list[Array] | None) -> Array:
        moved = invert_transform(start.T_tool_camera) @ values.atPose3(HAND_EYE).matrix()
        if jacobians is not None:
            hand_eye = np.zeros((7, 6))
            hand_eye[:3, :3], hand_eye[3:6, 3:] = np.eye(3), moved[:3, :3]
            jacobians[0] = np.asfortranarray(hand_eye)
            jacobians[1] = np.asfortranarray(np.eye(7)[:, 6:])
        turn = Rotation.from_matrix(moved[:3, :3]).as_rotvec()
        return np.concatenate([turn, moved[:3, 3], [values.atVector(SCALE)[0] - start.log_scale]])

    return gtsam.CustomFactor(noise, [HAND_EYE, SCALE], evaluate)
