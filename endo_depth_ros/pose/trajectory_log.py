"""The poses of a run that are worth keeping, for a file at the end."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from endo_depth_ros.contracts import TrackingState
from endo_depth_ros.geometry.trajectory import Trajectory
from endo_depth_ros.geometry.transforms import Transform

if TYPE_CHECKING:
    from endo_depth_ros.pose.tracker import TrackedFrame

SEEN = (TrackingState.TRACKING, TrackingState.RELOCALISED)


class TrajectoryLog:
    """Poses in the map of the frames that were tracked or found again; the oldest go when it is full."""

    def __init__(self, capacity: int | None = None) -> None:
        """capacity: most poses kept; None for no bound."""
        self._poses: deque[tuple[int, Transform]] = deque(maxlen=capacity)

    def add(self, tracked: TrackedFrame) -> bool:
        """Keep the frame's pose if it rests on what was seen in it; whether it does."""
        if tracked.pose.state not in SEEN:
            return False
        self._poses.append((tracked.pose.stamp_ns, tracked.pose_in_map()))
        return True

    def clear(self) -> None:
        """Forget all poses."""
        self._poses.clear()

    def __len__(self) -> int:
        return len(self._poses)

    def trajectory(self) -> Trajectory:
        """Camera-to-world poses in the order of their stamps."""
        stamps_ns = np.array([stamp_ns for stamp_ns, _ in self._poses], np.int64)
        return Trajectory(stamps_ns, np.array([T for _, T in self._poses], np.float64).reshape(-1, 4, 4))
