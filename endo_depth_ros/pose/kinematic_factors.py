"""A robot's poses of keyframes as factors, with the hand-eye pose as an unknown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.spatial.transform import Rotation

from endo_depth_ros.geometry.transforms import Transform, invert_transform
from endo_depth_ros.pose.depth_field import TERMS
from endo_depth_ros.pose.graph_library import gtsam
from endo_depth_ros.pose.hand_eye import HandEye
from endo_depth_ros.pose.keyframe import Keyframe
from endo_depth_ros.pose.kinematics import KinematicPose, Kinematics
from endo_depth_ros.pose.lie import Array, adjoint, skew
from endo_depth_ros.pose.robust import THRESHOLD
from endo_depth_ros.pose.structure_factor import field_key, pose_key
from endo_depth_ros.pose.window import KeyframeFactors

BASE, HAND_EYE = (int(gtsam.symbol(letter, 0)) for letter in "bh")
# Of T_map_base before anything is known of it, radians and metres: loose, but the graph needs a solution.
ANYWHERE = np.array([3.0] * 3 + [10.0] * 3)
# However sure the hand-eye pose seems: no less than this between two beginnings (radians, metres).
FLOOR = np.array([1e-3] * 3 + [1e-4] * 3)
# Keyframes whose depth the scale is an average of: flicker goes, what the depth of another place differs by stays.
MEMORY = 24


class KinematicFactors(KeyframeFactors):
    """Knowledge from a robot for one window: where each keyframe's camera is in the robot's base.

    The unknowns are T_map_base (metres) and T_tool_camera. The map's unit is what it is called, from here on: depth
    images differ from it by scales of their own.
    """

    def __init__(self, kinematics: Kinematics, start: HandEye) -> None:
        """start: the hand-eye pose, with what is known of it, and metres per unit of the map, which count as exact."""
        self._kinematics, self._start = kinematics, start
        self._base: Transform | None = None
        self._T_tool_camera = start.T_tool_camera
        self._numbers: list[int] = []  # of the keyframes in the window
        self._depth_in_map: dict[int, float] = {}  # logarithms, of the newest MEMORY keyframes
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
            graph.add(kinematic_factor(pose_key(keyframe.number), pose, self._start))

    def learn(self, graph: gtsam.NonlinearFactorGraph, values: gtsam.Values) -> None:
        """See KeyframeFactors."""
        if self._base is None:
            return
        self._base, self._T_tool_camera = values.atPose3(BASE).matrix(), values.atPose3(HAND_EYE).matrix()
        fields = [field_key(number) for number in self._numbers]
        joint = np.array(gtsam.Marginals(graph, values).jointMarginalCovariance([HAND_EYE, *fields]).fullMatrix())
        # Metres per unit of depth: of the map, times what the depth of the newest keyframes differs from the map by.
        for number, key in zip(self._numbers, fields, strict=True):
            self._depth_in_map[number] = float(values.atVector(key)[0])
        while len(self._depth_in_map) > MEMORY:
            del self._depth_in_map[next(iter(self._depth_in_map))]
        logs = np.array(list(self._depth_in_map.values()))
        J = np.zeros((7, len(joint)))
        J[:6, :6], J[6, 6::TERMS] = np.eye(6), 1 / len(fields)  # the scales are the fields' first terms
        spread = np.diag([0.0] * 6 + [logs.var() / len(logs)])
        log_scale = self._start.log_scale + float(logs.mean())
        self.result = HandEye(self._T_tool_camera, log_scale, J @ joint @ J.T + spread)

    def _find_base(self, keyframe: Keyframe, pose: KinematicPose) -> Transform:
        S = keyframe.T_map_camera.copy()
        S[:3, 3] *= np.exp(self._start.log_scale)
        return S @ invert_transform(pose.T_base_tool @ self._start.T_tool_camera)

    def _add_unknowns(self, graph: gtsam.NonlinearFactorGraph, values: gtsam.Values) -> None:
        """Initial values and what was known of the hand-eye pose before the window began."""
        assert self._base is not None
        values.insert(BASE, gtsam.Pose3(self._base))
        values.insert(HAND_EYE, gtsam.Pose3(self._T_tool_camera))
        anywhere = gtsam.noiseModel.Diagonal.Sigmas(ANYWHERE)
        graph.add(gtsam.PriorFactorPose3(BASE, gtsam.Pose3(self._base), anywhere))
        known = gtsam.noiseModel.Gaussian.Covariance(self._start.covariance[:6, :6] + np.diag(FLOOR**2))
        graph.add(gtsam.PriorFactorPose3(HAND_EYE, gtsam.Pose3(self._start.T_tool_camera), known))


def kinematic_factor(key: int, pose: KinematicPose, start: HandEye) -> gtsam.CustomFactor:
    """The robot's pose of a keyframe's camera. start: hand-eye pose, about right, and metres per unit of the map."""
    Ad, scale = adjoint(invert_transform(start.T_tool_camera)), float(np.exp(start.log_scale))
    # The position's error is one at the camera; a lever would add that of the orientation.
    Ad[3:, :3] = 0
    noise = gtsam.noiseModel.Robust.Create(
        gtsam.noiseModel.mEstimator.Huber.Create(THRESHOLD * np.sqrt(6)),
        gtsam.noiseModel.Gaussian.Covariance(Ad @ pose.covariance @ Ad.T),
    )

    def evaluate(_: gtsam.CustomFactor, values: gtsam.Values, jacobians: list[Array] | None) -> Array:
        T_map_camera, Y = values.atPose3(key).matrix(), values.atPose3(BASE).matrix()
        X = values.atPose3(HAND_EYE).matrix()
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
        return np.concatenate([Rotation.from_matrix(E).as_rotvec(), apart])

    return gtsam.CustomFactor(noise, [key, BASE, HAND_EYE], evaluate)
