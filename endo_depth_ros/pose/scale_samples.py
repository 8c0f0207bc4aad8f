"""A camera's way as vision and robot saw it, cut into stretches within which vision drifts little."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field

import numpy as np

from endo_depth_ros.geometry.transforms import Transform, invert_transform
from endo_depth_ros.pose.hand_eye import PosePairs
from endo_depth_ros.pose.kinematics import KinematicPose
from endo_depth_ros.pose.lie import Array, log_se3

# Samples nearer than this to the one before say nothing new (radians, metres).
LEAST_TURN, LEAST_STEP = np.radians(0.5), 0.0005
STRETCH_M, STRETCH_SAMPLES, STRETCHES = 0.15, 90, 5
MIN_SAMPLES = 5


@dataclass
class _Stretch:
    """kind: what vision's poses within it share, such as the segment. length: of the tool's way, metres."""

    kind: Hashable
    T_map_camera: list[Transform] = field(default_factory=list)
    kinematic: list[KinematicPose] = field(default_factory=list)
    log_scale: list[float] = field(default_factory=list)
    length: float = 0.0


class ScaleSamples:
    """The newest stretches."""

    def __init__(self) -> None:
        self._stretches: deque[_Stretch] = deque(maxlen=STRETCHES)

    def add(self, kind: Hashable, T_map_camera: Transform, log_scale: float, kinematic: KinematicPose) -> bool:
        """Take in a pose in units of the model's depth; False where it is too near the one before.

        log_scale: logarithm of what the frame's depth has to be multiplied by to agree with the map.
        """
        if not self._stretches or self._stretches[-1].kind != kind:
            self._stretches.append(_Stretch(kind))
        current = self._stretches[-1]
        if current.kinematic:
            step = log_se3(invert_transform(current.kinematic[-1].T_base_tool) @ kinematic.T_base_tool)
            moved = float(np.linalg.norm(step[3:]))
            if moved < LEAST_STEP and np.linalg.norm(step[:3]) < LEAST_TURN:
                return False
            current.length += moved
        current.T_map_camera.append(T_map_camera)
        current.kinematic.append(kinematic)
        current.log_scale.append(log_scale)
        if current.length > STRETCH_M or len(current.kinematic) >= STRETCH_SAMPLES:
            self._stretches.append(_Stretch(kind, [T_map_camera], [kinematic], [log_scale]))
        return True

    @property
    def is_torn(self) -> bool:
        """Whether stretch after stretch ended before it had the poses that can be compared."""
        return len(self._stretches) == STRETCHES and not self.pairs()

    def pairs(self) -> list[PosePairs]:
        """The stretches that are long enough to compare."""
        return [_compare(each) for each in self._stretches if len(each.kinematic) >= MIN_SAMPLES]

    def depth_in_map(self) -> tuple[float, float]:
        """Mean of log_scale over the samples that pairs() compares, and its variance."""
        logs = [log for each in self._stretches if len(each.kinematic) >= MIN_SAMPLES for log in each.log_scale]
        return float(np.mean(logs)), float(np.var(logs)) / len(logs)


def travel(pairs: list[PosePairs]) -> float:
    """Length of the camera's way by vision, in units of the model's depth."""
    steps = [np.linalg.norm(np.diff(each.T_map_camera[:, :3, 3], axis=0), axis=1).sum() for each in pairs]
    return float(np.sum(steps))


def _compare(stretch: _Stretch) -> PosePairs:
    sigma: Array = np.stack([np.sqrt(np.diag(pose.covariance)) for pose in stretch.kinematic])
    return PosePairs(np.stack(stretch.T_map_camera), np.stack([pose.T_base_tool for pose in stretch.kinematic]), sigma)
