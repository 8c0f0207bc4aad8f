"""The newest keyframes, optimised together; what older ones knew is kept as a factor (fixed-lag smoothing)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from endo_depth_ros.geometry.transforms import Transform, invert_transform
from endo_depth_ros.pose.depth_field import TERMS
from endo_depth_ros.pose.graph_library import gtsam
from endo_depth_ros.pose.keyframe import Keyframe
from endo_depth_ros.pose.lie import Array, adjoint
from endo_depth_ros.pose.settings import PoseSettings
from endo_depth_ros.pose.structure_factor import StructureFactor, field_key, pose_key

ROUNDS = 6
LOOSE_RADIANS, LOOSE_DISTANCES = 0.3, 0.3  # of a median depth
LOOSE_LOG_SCALE = 0.3
# Share of the loose standard deviations to which a window's first keyframe is held; see _split.
GAUGE = 0.01
ENOUGH = 1e-3  # relative decrease of the error at which a round is the last


class KeyframeFactors(ABC):
    """Knowledge about the keyframes of one window from elsewhere, such as a robot's kinematics."""

    @abstractmethod
    def extend(self, graph: gtsam.NonlinearFactorGraph, values: gtsam.Values, keyframes: Sequence[Keyframe]) -> None:
        """Add factors on pose_key(number), and initial values of variables of its own, for keyframes of the window.

        Called anew for each optimisation. When a keyframe leaves, its factors are kept as they were linearised then.
        """

    @abstractmethod
    def learn(self, graph: gtsam.NonlinearFactorGraph, values: gtsam.Values) -> None:
        """Take note of the optimum, `values`, of the whole graph, landmarks and all."""


# Makes them for a window, given its first keyframe, or None where there is nothing to add.
FactorsMaker = Callable[[Keyframe], KeyframeFactors | None]


@dataclass(frozen=True)
class WindowResult:
    """What an optimisation found, by the numbers of the keyframes in the window.

    log_depth, log_sigma: of the landmarks, as in Landmarks. newest: the newest keyframe's number. covariance: [6, 6]
    of its pose, body frame (rotation, translation). field_covariance: [TERMS, TERMS], of its depth's field.
    """

    newest: int
    T_map_camera: dict[int, Transform]
    depth_field: dict[int, Array]
    log_depth: dict[int, Array]
    log_sigma: dict[int, Array]
    covariance: Array
    field_covariance: Array


class Window:
    """Keyframes of one segment as a gtsam graph: poses, fields of depth, their landmarks, and what was left behind."""

    def __init__(
        self, settings: PoseSettings, first: Keyframe, covariance: Array, others: Sequence[FactorsMaker] = ()
    ) -> None:
        """covariance: [6, 6] of the first keyframe's pose, body frame (rotation, translation)."""
        self._settings = settings
        self._others = [each for each in (make(first) for make in others) if each is not None]
        self.keyframes: list[Keyframe] = [first]
        self._past = gtsam.NonlinearFactorGraph()
        held, self._unheld = _split(covariance, GAUGE * _loose_sigmas(first))
        self._T_map_first = first.T_map_camera.copy()
        noise = gtsam.noiseModel.Gaussian.Covariance(held)
        self._past.add(gtsam.PriorFactorPose3(pose_key(first.number), gtsam.Pose3(first.T_map_camera), noise))
        # Found again somewhere, it knows something of its depth's field.
        self._past.add(self._field_prior(first, first.depth_field))

    def add(self, keyframe: Keyframe) -> WindowResult:
        """Take in a newer keyframe and optimise. The keyframes and their landmarks are updated in place."""
        self.keyframes.append(keyframe)
        self._past.add(self._field_prior(keyframe, np.zeros(TERMS)))
        self._past.add(self._hold_together(self.keyframes[-2], keyframe))
        beside = gtsam.NonlinearFactorGraph(self._past)
        values = self._values()
        for other in self._others:
            other.extend(beside, values, self.keyframes)
        structure = StructureFactor(self.keyframes, self.keyframes[:-1], self._settings)
        graph = _with(beside, structure)
        values = self._optimise(graph, values)
        for other in self._others:
            other.learn(graph, values)
        result = self._take(graph, values, structure)
        if len(self.keyframes) > self._settings.window:
            self._leave_behind(beside, values)
        return result

    def _optimise(self, graph: gtsam.NonlinearFactorGraph, values: gtsam.Values) -> gtsam.Values:
        parameters = gtsam.LevenbergMarquardtParams()
        parameters.setMaxIterations(ROUNDS)
        parameters.setRelativeErrorTol(ENOUGH)
        return gtsam.LevenbergMarquardtOptimizer(graph, values, parameters).optimize()

    def _take(
        self, graph: gtsam.NonlinearFactorGraph, values: gtsam.Values, structure: StructureFactor
    ) -> WindowResult:
        newest = self.keyframes[-1]
        # It also has the landmarks' depths solved for these values; the optimiser's last try may have been others.
        marginals = gtsam.Marginals(graph, values)
        covariance = np.array(marginals.marginalCovariance(pose_key(newest.number)))
        structure.write_back()
        for keyframe in self.keyframes:
            keyframe.T_map_camera = values.atPose3(pose_key(keyframe.number)).matrix()
            keyframe.depth_field = np.array(values.atVector(field_key(keyframe.number)))
        Ad = adjoint(invert_transform(newest.T_map_camera) @ self._T_map_first)
        return WindowResult(
            newest.number,
            {keyframe.number: keyframe.T_map_camera for keyframe in self.keyframes},
            {keyframe.number: keyframe.depth_field for keyframe in self.keyframes},
            {keyframe.number: keyframe.landmarks.log_depth.copy() for keyframe in self.keyframes},
            {keyframe.number: keyframe.landmarks.log_sigma.copy() for keyframe in self.keyframes},
            covariance + Ad @ self._unheld @ Ad.T,
            np.array(marginals.marginalCovariance(field_key(newest.number))),
        )

    def _leave_behind(self, beside: gtsam.NonlinearFactorGraph, values: gtsam.Values) -> None:
        """Marginalise the oldest keyframe: what all factors on it say of the others becomes a linear factor.

        beside: all factors but that of the landmarks.
        """
        oldest = self.keyframes[0]
        keys = [pose_key(oldest.number), field_key(oldest.number)]
        staying = _without(self._past, keys)
        ordering = gtsam.Ordering()
        for key in keys:
            ordering.push_back(key)
        leaving = _with(_only(beside, keys), StructureFactor(self.keyframes, [oldest], self._settings))
        _, rest = leaving.linearize(values).eliminatePartialMultifrontal(ordering)
        for index in range(rest.size()):
            if rest.at(index) is not None:
                staying.add(gtsam.LinearContainerFactor(rest.at(index), values))
        self._past = staying
        del self.keyframes[0]

    def _field_prior(self, keyframe: Keyframe, expected: Array) -> gtsam.NonlinearFactor:
        # Whoever else knows lengths knows them better than a network, whose scale wanders.
        sigma = max(self._settings.scale_log_sigma, LOOSE_LOG_SCALE if self._others else 0.0)
        noise = gtsam.noiseModel.Diagonal.Sigmas(self._settings.field_sigmas(sigma, keyframe.depth_sigmas))
        return gtsam.PriorFactorVector(field_key(keyframe.number), expected, noise)

    def _hold_together(self, previous: Keyframe, keyframe: Keyframe) -> gtsam.NonlinearFactor:
        """A weak tie, so that the graph has a solution even where two keyframes share few landmarks."""
        noise = gtsam.noiseModel.Diagonal.Sigmas(_loose_sigmas(previous))
        between = gtsam.Pose3(invert_transform(previous.T_map_camera) @ keyframe.T_map_camera)
        return gtsam.BetweenFactorPose3(pose_key(previous.number), pose_key(keyframe.number), between, noise)

    def _values(self) -> gtsam.Values:
        values = gtsam.Values()
        for keyframe in self.keyframes:
            values.insert(pose_key(keyframe.number), gtsam.Pose3(keyframe.T_map_camera))
            values.insert(field_key(keyframe.number), keyframe.depth_field)
        return values


def _loose_sigmas(keyframe: Keyframe) -> Array:
    """Standard deviations [6] of a twist that say next to nothing, beside what the keyframe's landmarks say."""
    logs = keyframe.landmarks.log_depth
    reach = LOOSE_DISTANCES * float(np.exp(np.median(logs))) if len(logs) else LOOSE_DISTANCES
    return np.array([LOOSE_RADIANS] * 3 + [reach] * 3)


def _split(covariance: Array, sigmas: Array) -> tuple[Array, Array]:
    """A covariance as the sum of one that is nowhere wider than `sigmas` and the rest.

    All keyframes are misplaced together by the rest, which the graph need not know. Were they free to move by so much,
    it would have no solution in floating-point numbers, or move them with every linearisation anew.
    """
    values, vectors = np.linalg.eigh(covariance / np.outer(sigmas, sigmas))
    held = (vectors * np.minimum(values, 1.0)) @ vectors.T * np.outer(sigmas, sigmas)
    return held, covariance - held


def _with(graph: gtsam.NonlinearFactorGraph, structure: StructureFactor) -> gtsam.NonlinearFactorGraph:
    """A graph with the landmarks as one more factor."""
    whole = gtsam.NonlinearFactorGraph(graph)
    factor = structure.factor()
    if factor is not None:
        whole.add(factor)
    return whole


def _only(graph: gtsam.NonlinearFactorGraph, keys: list[int]) -> gtsam.NonlinearFactorGraph:
    """The factors on any of the keys."""
    return _pick(graph, lambda factor: not set(keys).isdisjoint(factor.keys()))


def _without(graph: gtsam.NonlinearFactorGraph, keys: list[int]) -> gtsam.NonlinearFactorGraph:
    """The factors on none of the keys."""
    return _pick(graph, lambda factor: set(keys).isdisjoint(factor.keys()))


def _pick(
    graph: gtsam.NonlinearFactorGraph, is_wanted: Callable[[gtsam.NonlinearFactor], bool]
) -> gtsam.NonlinearFactorGraph:
    picked = gtsam.NonlinearFactorGraph()
    for index in range(graph.size()):
        if is_wanted(graph.at(index)):
            picked.add(graph.at(index))
    return picked
