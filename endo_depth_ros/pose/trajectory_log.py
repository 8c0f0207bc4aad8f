"""The poses of a run that are worth keeping, for a file at the end."""

from __future__ import annotations

import threading
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from endo_depth_ros.bags.output import Replaceable, check_file_name, complete_output
from endo_depth_ros.bags.tum_file import write_tum
from endo_depth_ros.contracts import TrackingState
from endo_depth_ros.geometry.trajectory import Trajectory
from endo_depth_ros.geometry.transforms import Transform

if TYPE_CHECKING:
    from endo_depth_ros.pose.tracker import TrackedFrame

SEEN = (TrackingState.TRACKING, TrackingState.RELOCALISED)


class TrajectoryLog:
    """Poses in the map of the frames that were tracked or found again; the oldest go when it is full.

    One thread may add while another reads. After `begin_anew` another path begins; of those before, the longest stays.
    """

    def __init__(self, capacity: int | None = None) -> None:
        """capacity: most poses kept of a path; None for no bound."""
        self._lock = threading.Lock()
        self._poses: deque[tuple[int, Transform]] = deque(maxlen=capacity)
        self._earlier: deque[tuple[int, Transform]] = deque(maxlen=capacity)

    def add(self, tracked: TrackedFrame) -> bool:
        """Keep the frame's pose if it rests on what was seen in it; whether it does."""
        if tracked.pose.state not in SEEN:
            return False
        with self._lock:
            self._poses.append((tracked.pose.stamp_ns, tracked.pose_in_map()))
        return True

    def begin_anew(self) -> None:
        """The next pose begins another path."""
        with self._lock:
            if len(self._poses) > len(self._earlier):
                self._earlier = self._poses
            self._poses = deque(maxlen=self._poses.maxlen)

    def __len__(self) -> int:
        return len(self._poses)

    def trajectory(self) -> Trajectory:
        """Camera-to-world poses in the order of their stamps."""
        with self._lock:
            poses = list(self._poses)
        return _trajectory_of(poses)

    def earlier(self) -> Trajectory:
        """The longest path before the present one, empty where there was none."""
        with self._lock:
            poses = list(self._earlier)
        return _trajectory_of(poses)


def write_paths(path: Path, log: TrajectoryLog) -> dict[Path, int]:
    """Write the present path as a TUM file and the longest one before it beside it; how many poses each file has.

    Where one of them has no poses, only the other is written. A file that is there is replaced, nothing else is.
    Raises OutputError, OSError.
    """
    check_file_name(path)
    trajectories = {path: log.trajectory(), earlier_path(path): log.earlier()}
    wanted = [name for name, trajectory in trajectories.items() if len(trajectory.stamps_ns)] or [path]
    for name in wanted:
        with complete_output(name, Replaceable.FILE) as partial:
            write_tum(partial, trajectories[name])
    return {name: len(trajectories[name].stamps_ns) for name in wanted}


def earlier_path(path: Path) -> Path:
    """Where the path before the present one is written."""
    return path.with_name(f"{path.stem}_earlier{path.suffix}")


def _trajectory_of(poses: list[tuple[int, Transform]]) -> Trajectory:
    stamps_ns = np.array([stamp_ns for stamp_ns, _ in poses], np.int64)
    return Trajectory(stamps_ns, np.array([T for _, T in poses], np.float64).reshape(-1, 4, 4))
