"""Keyframes are put right together, and what is forgotten still holds."""

from __future__ import annotations

from collections.abc import Sequence

import gtsam
import numpy as np
import pytest
from test_structure_factor import SHAPE, K

from endo_depth_ros.geometry.transforms import Transform, invert_transform, transform_points
from endo_depth_ros.pose.depth_field import TERMS, basis_at
from endo_depth_ros.pose.keyframe import Keyframe, Landmarks, Sightings
from endo_depth_ros.pose.lie import exp_se3, log_se3
from endo_depth_ros.pose.settings import PoseSettings
from endo_depth_ros.pose.structure_factor import pose_key
from endo_depth_ros.pose.window import KeyframeFactors, Window

STEP = exp_se3(np.array([0.01, 0.03, -0.01, 0.002, 0.001, 0.0005]))
ORIGIN = np.eye(6) * 1e-10


class Walk:
    """Keyframes along a walk: each brings landmarks and sees those of the four before it."""

    def __init__(self, seed: int = 0, noise_px: float = 0.3, depth_noise: float = 0.03) -> None:
        self.rng = np.random.default_rng(seed)
        self.noise_px, self.depth_noise = noise_px, depth_noise
        self.poses: list[Transform] = []
        self.points: dict[int, np.ndarray] = {}

    def next(self, number: int, start: Transform) -> Keyframe:
        """start: where the keyframe is thought to be before it is optimised."""
        T = self.poses[-1] @ STEP if self.poses else np.eye(4)
        self.poses.append(T)
        flicker = 0.03 * self.rng.normal()
        sightings = self._look(number, T, flicker)
        pixels = self.rng.uniform([40, 40], [280, 216], (30, 2))
        depth = self.rng.uniform(0.03, 0.06, 30)
        rays = np.column_stack([pixels, np.ones(30)]) @ np.linalg.inv(K).T
        self.points[number] = transform_points(T, rays * depth[:, None])
        measured = np.log(depth) - flicker + self.depth_noise * self.rng.normal(size=30)
        sigma = np.full(30, self.depth_noise)
        landmarks = Landmarks(rays, measured, sigma, measured.copy(), sigma.copy(), basis_at(pixels, SHAPE))
        return Keyframe(number, number, K, start, np.zeros(TERMS), landmarks, sightings)

    def _look(self, number: int, T: Transform, flicker: float) -> Sightings:
        anchors = [each for each in self.points if number - each <= 4]
        points = np.concatenate([self.points[each] for each in anchors]) if anchors else np.zeros((0, 3))
        in_camera = transform_points(invert_transform(T), points)
        pixels = in_camera[:, :2] / in_camera[:, 2:] @ K[:2, :2].T + K[:2, 2]
        pixels = pixels + self.noise_px * self.rng.normal(size=pixels.shape)
        logs = np.log(in_camera[:, 2]) - flicker + self.depth_noise * self.rng.normal(size=len(points))
        return Sightings(
            np.repeat(np.array(anchors, np.int64), 30), np.tile(np.arange(30), len(anchors)), pixels,
            np.tile(0.3**2 * np.eye(2), (len(points), 1, 1)), logs, np.full(len(points), self.depth_noise),
            basis_at(pixels, SHAPE),
        )  # fmt: skip


def run(count: int, seed: int = 0, others: Sequence = (), **settings: float) -> tuple[Walk, Window, list]:
    walk = Walk(seed)
    window = Window(PoseSettings(shared_error=1.0, **settings), walk.next(1, np.eye(4)), ORIGIN, others)
    results, T = [], np.eye(4)
    for number in range(2, count + 1):
        results.append(window.add(walk.next(number, T @ STEP @ exp_se3(0.003 * walk.rng.normal(size=6)))))
        T = results[-1].T_map_camera[number]
    return walk, window, results


def test_keyframes_find_their_places() -> None:
    walk, _, results = run(6)
    error = log_se3(invert_transform(walk.poses[-1]) @ results[-1].T_map_camera[6])
    assert np.abs(error[:3]).max() < 0.01
    assert np.abs(error[3:]).max() < 0.0006  # of 11 mm; flicker alone would be 3 %


def test_the_window_stays_as_long_as_it_may_and_uncertainty_grows() -> None:
    _, window, results = run(12, window=4)
    assert [keyframe.number for keyframe in window.keyframes] == [9, 10, 11, 12]
    sizes = [np.trace(result.covariance[3:, 3:]) for result in results]
    assert sizes[0] < sizes[4] < sizes[-1]


def test_covariance_covers_the_errors_after_much_is_forgotten() -> None:
    normalised = []
    for seed in range(8):
        walk, _, results = run(9, seed=seed, window=4)
        error = log_se3(invert_transform(walk.poses[-1]) @ results[-1].T_map_camera[9])
        normalised.append(error @ np.linalg.solve(results[-1].covariance, error))
    assert 2.0 < np.mean(normalised) < 12.0  # chi square of 48 degrees of freedom / 8, four sigma


def test_nobody_knowing_where_it_begins_is_no_obstacle_and_stays_unknown() -> None:
    nowhere = np.diag([0.5] * 3 + [100.0] * 3)
    walk = Walk()
    window = Window(PoseSettings(shared_error=1.0), walk.next(1, np.eye(4)), nowhere)
    for number in range(2, 8):
        result = window.add(walk.next(number, walk.poses[-1] @ STEP))
    assert np.linalg.eigvalsh(result.covariance)[-3:] == pytest.approx(100.0, rel=0.1)
    between = invert_transform(result.T_map_camera[2]) @ result.T_map_camera[7]
    error = log_se3(invert_transform(invert_transform(walk.poses[1]) @ walk.poses[6]) @ between)
    assert np.abs(error[:3]).max() < 0.01
    assert np.abs(error[3:]).max() < 0.0006


class Fixed(KeyframeFactors):
    """Says where keyframe 3 is."""

    def extend(self, graph: gtsam.NonlinearFactorGraph, values: gtsam.Values, keyframes: Sequence[Keyframe]) -> None:
        if any(keyframe.number == 3 for keyframe in keyframes):
            noise = gtsam.noiseModel.Isotropic.Sigma(6, 1e-7)
            there = gtsam.Pose3(STEP @ STEP @ exp_se3(np.array([0, 0, 0, 1e-4, 0, 0])))
            graph.add(gtsam.PriorFactorPose3(pose_key(3), there, noise))

    def learn(self, graph: gtsam.NonlinearFactorGraph, values: gtsam.Values) -> None:
        pass


def test_knowledge_from_elsewhere_counts() -> None:
    _, _, results = run(4, others=(lambda first: Fixed(),))
    there = STEP @ STEP @ exp_se3(np.array([0, 0, 0, 1e-4, 0, 0]))
    np.testing.assert_allclose(results[-1].T_map_camera[3], there, atol=1e-6)
