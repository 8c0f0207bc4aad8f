"""A robot that moves a camera: keyframes with exactly projected points, and kinematics with errors, no images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from endo_depth_ros.contracts import PoseEstimate, Scale, TrackingState
from endo_depth_ros.evaluation.trajectory_metrics import Alignment, absolute_error, align
from endo_depth_ros.geometry.trajectory import Trajectory
from endo_depth_ros.geometry.transforms import Transform, invert_transform, transform_points
from endo_depth_ros.pose.depth_field import TERMS, basis_at
from endo_depth_ros.pose.keyframe import Keyframe, Landmarks, Sightings
from endo_depth_ros.pose.lie import exp_se3
from endo_depth_ros.pose.scale_estimate import MetricScale, ScaleEstimate
from endo_depth_ros.pose.settings import PoseSettings
from endo_depth_ros.pose.tracker import TrackedFrame
from endo_depth_ros.pose.window import Window

Array = NDArray[np.float64]
SHAPE = (256, 320)
K = np.array([[160.0, 0, 159.5], [0, 160.0, 127.5], [0, 0, 1]])
RATE_HZ, KINEMATICS_HZ, START_NS = 10, 50, 10**9
POINTS = 15
T_BASE_WORLD = exp_se3(np.array([0.4, -0.2, 1.1, 0.3, -0.1, 0.5]))
T_TOOL_CAMERA = exp_se3(np.array([0.3, -1.2, 0.5, 0.02, -0.01, 0.08]))
SETTINGS = PoseSettings()


@dataclass
class RobotWorld:
    """One run. units: metres per unit of depth, wander: by how much their logarithm goes up and down on the way.

    offset_s: what the robot's clock is behind by. axes: of rotation.
    """

    seed: int = 0
    units: float = 0.7
    offset_s: float = 0.0
    axes: int = 2
    wander: float = 0.0
    hand_eye_error_deg: float = 5.0
    rng: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        self._phase = self.rng.uniform(0, 2 * np.pi, 6)
        self._landmarks: dict[int, Array] = {}
        self._strayed: dict[int, Array] = {}
        error = self.rng.normal(size=3)
        error *= np.radians(self.hand_eye_error_deg) / np.linalg.norm(error)
        self.T_tool_camera_given = T_TOOL_CAMERA @ exp_se3(np.concatenate([error, 0.005 * self.rng.normal(size=3)]))

    def pose(self, t: float) -> Transform:
        """T_world_camera: about 12 mm/s on curves of some 10 mm, turning by up to 20°."""
        p = self._phase
        T = np.eye(4)
        turn = np.radians(20) * np.array([np.sin(1.3 * t + p[0]), np.sin(0.9 * t + p[1]), 0.0])
        T[:3, :3] = Rotation.from_rotvec(turn * (np.arange(3) < self.axes)).as_matrix()
        T[:3, 3] = 0.009 * np.array([np.sin(1.1 * t + p[2]), np.sin(0.8 * t + p[3]), 0.6 * np.sin(0.7 * t + p[4])])
        return T

    def report_kinematics(self, metric: MetricScale, start_s: float, end_s: float) -> None:
        """Samples with 1 mm and 0.3° of noise at the camera, by the robot's clock."""
        for t in np.arange(start_s, end_s, 1 / KINEMATICS_HZ):
            metric.add_kinematics(START_NS + round((t - self.offset_s) * 1e9), self.sample_kinematics(t))

    def sample_kinematics(self, t: float) -> Transform:
        """T_base_tool as the robot says."""
        noise = np.concatenate([np.radians(0.3) * self.rng.normal(size=3), 0.001 * self.rng.normal(size=3)])
        return T_BASE_WORLD @ self.pose(t) @ exp_se3(noise) @ invert_transform(T_TOOL_CAMERA)

    def keyframe(self, number: int, applied: float, start: Transform) -> Keyframe:
        """The number-th keyframe, at number / RATE_HZ seconds; applied: factor on depth that is applied already."""
        T = self.pose(number / RATE_HZ)
        unit = self.units * np.exp(self.wander * np.sin(0.3 * number)) / applied
        flicker = 0.03 * self.rng.normal()
        seen = self._look(number, T, flicker + np.log(unit))
        pixels = self.rng.uniform([40, 40], [280, 216], (POINTS, 2))
        depth = self.rng.uniform(0.03, 0.06, POINTS)
        rays = np.column_stack([pixels, np.ones(POINTS)]) @ np.linalg.inv(K).T
        self._landmarks[number] = transform_points(T, rays * depth[:, None])
        measured = np.log(depth / unit) - flicker + 0.03 * self.rng.normal(size=POINTS)
        sigma = np.full(POINTS, 0.09)
        basis = basis_at(pixels, SHAPE)
        landmarks = Landmarks(rays, measured, sigma, measured.copy(), sigma.copy(), basis)
        stamp_ns = START_NS + number * 10**9 // RATE_HZ
        return Keyframe(number, stamp_ns, K, start, np.zeros(TERMS), landmarks, seen, applied)

    def forget_landmarks(self) -> None:
        """What comes next shares none with what was."""
        self._landmarks.clear()

    def _look(self, number: int, T: Transform, flicker: float) -> Sightings:
        anchors = [each for each in self._landmarks if number - each <= 4]
        points = np.concatenate([self._landmarks[each] for each in anchors]) if anchors else np.zeros((0, 3))
        in_camera = transform_points(invert_transform(T), points)
        pixels = in_camera[:, :2] / in_camera[:, 2:] @ K[:2, :2].T + K[:2, 2]
        for each in anchors:  # followed from keyframe to keyframe, they stray more and more
            self._strayed[each] = self._strayed.get(each, np.zeros((POINTS, 2))) + self.rng.normal(size=(POINTS, 2))
        pixels = pixels + (np.concatenate([self._strayed[each] for each in anchors]) if anchors else 0)
        logs = np.log(in_camera[:, 2]) - flicker + 0.03 * self.rng.normal(size=len(points))
        return Sightings(
            np.repeat(np.array(anchors, np.int64), POINTS), np.tile(np.arange(POINTS), len(anchors)), pixels,
            np.tile(0.4**2 * np.eye(2), (len(points), 1, 1)), logs, np.full(len(points), 0.09), basis_at(pixels, SHAPE),
        )  # fmt: skip


@dataclass
class Run:
    """What came of keyframes. T_map_camera: [N, 4, 4]. numbers: of the keyframes."""

    T_map_camera: list[Transform]
    numbers: list[int]


def drifting_frames(world: RobotWorld, start_s: float, end_s: float, scale: Scale) -> Iterator[TrackedFrame]:
    """A tracker without a graph: steps with errors that add up, depth that flickers about the map."""
    rng, T, rate_hz = world.rng, np.eye(4), 15
    map_error = 0.01 * rng.normal()
    for number in range(round(start_s * rate_hz) + 1, round(end_s * rate_hz)):
        t = number / rate_hz
        step = invert_transform(world.pose(t - 1 / rate_hz)) @ world.pose(t)
        step[:3, 3] *= np.exp(map_error) * scale.value / world.units
        noise = np.concatenate([3e-4 * rng.normal(size=3), 3e-5 * scale.value / world.units * rng.normal(size=3)])
        T = T @ step @ exp_se3(noise)
        stamp_ns = START_NS + round(t * 1e9)
        pose = PoseEstimate(stamp_ns, "camera", TrackingState.TRACKING, T, np.eye(6), scale)
        yield TrackedFrame(pose, np.eye(4), 0, 0, log_scale=map_error + 0.03 * rng.normal())


def watch(world: RobotWorld, metric: MetricScale, end_s: float) -> Iterator[tuple[float, ScaleEstimate]]:
    """Metres travelled and the estimate, frame by frame, with a tracker that knows nothing of the robot."""
    told_s = travelled = 0.0
    previous = world.pose(0)
    for tracked in drifting_frames(world, 0, end_s, Scale()):
        t = (tracked.pose.stamp_ns - START_NS) / 1e9
        world.report_kinematics(metric, told_s, t + 0.02)
        told_s, current = t + 0.02, world.pose(t)
        travelled += float(np.linalg.norm(current[:3, 3] - previous[:3, 3]))
        previous = current
        yield travelled, metric.update(tracked)


def track(world: RobotWorld, metric: MetricScale | None, numbers: range, scale: Scale) -> Run:
    """Keyframes through a window, and MetricScale told of each."""
    world.forget_landmarks()
    applied = scale.value
    first = world.keyframe(numbers[0], applied, np.eye(4))
    makers = [metric.factors] if metric is not None else []
    # As after a change of scale: nobody knows where in odom the new way begins.
    window = Window(SETTINGS, first, np.diag([0.01] * 3 + [0.02] * 3) ** 2, makers)
    run = Run([np.eye(4)], [numbers[0]])
    for number in numbers[1:]:
        step = invert_transform(world.pose((number - 1) / RATE_HZ)) @ world.pose(number / RATE_HZ)
        step[:3, 3] *= applied / world.units
        guess = run.T_map_camera[-1] @ step @ exp_se3(0.002 * world.rng.normal(size=6))
        if metric is not None:
            world.report_kinematics(metric, (number - 1) / RATE_HZ, number / RATE_HZ)
        result = window.add(world.keyframe(number, applied, guess))
        run.T_map_camera.append(result.T_map_camera[number])
        run.numbers.append(number)
        if metric is not None:
            stamp_ns = START_NS + number * 10**9 // RATE_HZ
            T, log_scale = run.T_map_camera[-1], float(result.depth_field[number][0])
            pose = PoseEstimate(stamp_ns, "camera", TrackingState.TRACKING, T, result.covariance, scale)
            metric.update(TrackedFrame(pose, np.eye(4), 0, 0, log_scale=log_scale))
    return run


def compare_ways(world: RobotWorld, again: RobotWorld, metric: MetricScale, scale: Scale) -> list[float]:
    """Errors of robot and vision together, of vision alone, of the robot alone, metres.

    again: the same world; what the robot says for itself and vision alone sees comes from it.
    """
    numbers = range(8 * RATE_HZ, 11 * RATE_HZ)
    world.report_kinematics(metric, 7.9, 8.0)
    fused = track(world, metric, numbers, scale)
    seen = track(again, None, numbers, scale)
    robot = [again.sample_kinematics(number / RATE_HZ) @ world.T_tool_camera_given for number in numbers]
    truth = [world.pose(number / RATE_HZ) for number in numbers]
    return [rigid_error(way, truth) for way in (fused.T_map_camera, seen.T_map_camera, robot)]


def rigid_error(poses: Sequence[Transform], truth: Sequence[Transform]) -> float:
    """Root mean square distance of the positions after the best rigid motion."""
    stamps_ns = np.arange(len(truth))
    true = Trajectory(stamps_ns, np.stack(truth))
    return absolute_error(align(Trajectory(stamps_ns, np.stack(poses)), true, Alignment.SE3)[0], true)
