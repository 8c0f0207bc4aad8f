"""Poses that a robot reports, at the times of a camera's images."""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from endo_depth_ros.geometry.transforms import Transform, invert_transform
from endo_depth_ros.pose.lie import Array
from endo_depth_ros.pose.metric_settings import MetricScaleSettings
from endo_depth_ros.stamps import NANOSECONDS

# A polynomial of this degree goes through the samples around a time: a hand's and a robot's accelerations are in it.
DEGREE = 2
MIN_SAMPLES = 4


@dataclass(frozen=True)
class KinematicPose:
    """Where the robot says the tool is. covariance: [6, 6] of the twist (rotation, translation) in the tool's frame."""

    stamp_ns: int
    T_base_tool: Transform
    covariance: Array


class Kinematics:
    """Samples of T_base_tool over time. One thread may add while others ask."""

    def __init__(self, settings: MetricScaleSettings) -> None:
        self._settings = settings
        self._sigma = np.array([np.radians(settings.rotation_sigma_deg)] * 3 + [settings.position_sigma] * 3)
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        """Forget all samples."""
        with self._lock:
            self._stamps: list[int] = []
            self._poses: list[Transform] = []

    def add(self, stamp_ns: int, T_base_tool: Transform) -> bool:
        """Take in a sample by the robot's clock; False for one that isn't newer than the last, which isn't taken."""
        stamp_ns += round(self._settings.time_offset_s * NANOSECONDS)
        with self._lock:
            if self._stamps and stamp_ns <= self._stamps[-1]:
                return False
            self._stamps.append(stamp_ns)
            self._poses.append(T_base_tool)
            old = bisect_left(self._stamps, stamp_ns - round(self._settings.memory_s * NANOSECONDS))
            del self._stamps[:old], self._poses[:old]
        return True

    @property
    def newest_ns(self) -> int:
        """Time of the newest sample by the camera's clock; 0 before the first."""
        with self._lock:
            return self._stamps[-1] if self._stamps else 0

    def pose_at(self, stamp_ns: int) -> KinematicPose | None:
        """The pose at a time of the camera's clock, smoothed; None where no samples surround it closely enough.

        A polynomial of the twist from the nearest sample is fitted to those within smoothing_s; a time offset that is
        wrong by time_sigma_s displaces the pose by as much of its velocity.
        """
        around = self._around(stamp_ns)
        if around is None:
            return None
        seconds, poses = around
        nearest = poses[int(np.argmin(np.abs(seconds)))]
        powers = seconds[:, None] ** np.arange(min(DEGREE + 1, len(seconds) - 1))
        solution = np.linalg.pinv(powers) @ _twists_from(nearest, poses)
        share = float(np.linalg.inv(powers.T @ powers)[0, 0])
        velocity = solution[1] * self._settings.time_sigma_s
        covariance = np.diag(self._sigma**2 * share) + np.outer(velocity, velocity)
        return KinematicPose(stamp_ns, nearest @ _moved(solution[0]), covariance)

    def _around(self, stamp_ns: int) -> tuple[Array, Array] | None:
        """Times in seconds from stamp_ns [N] and poses [N, 4, 4] of the samples around it, or None."""
        reach = round(self._settings.smoothing_s * NANOSECONDS)
        with self._lock:
            first, last = bisect_left(self._stamps, stamp_ns - reach), bisect_right(self._stamps, stamp_ns + reach)
            stamps, poses = self._stamps[first:last], self._poses[first:last]
        if len(stamps) < MIN_SAMPLES or not stamps[0] <= stamp_ns <= stamps[-1]:
            return None
        seconds = (np.array(stamps, np.int64) - stamp_ns) / NANOSECONDS
        gap = float(seconds[seconds >= 0].min() - seconds[seconds <= 0].max())
        if gap > self._settings.max_gap_s:
            return None
        return seconds, np.stack(poses)


def _twists_from(start: Transform, poses: Array) -> Array:
    """[N, 6], rotation vectors and displacements from `start` to poses [N, 4, 4], close by, in its frame."""
    moved = invert_transform(start) @ poses
    return np.column_stack([Rotation.from_matrix(moved[:, :3, :3]).as_rotvec(), moved[:, :3, 3]])


def _moved(motion: Array) -> Transform:
    """The inverse of _twists_from for one pose."""
    T = np.eye(4)
    T[:3, :3], T[:3, 3] = Rotation.from_rotvec(motion[:3]).as_matrix(), motion[3:]
    return T
