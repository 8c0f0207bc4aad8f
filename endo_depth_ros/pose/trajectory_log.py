"""The poses of a run that are worth keeping, for a file at the end."""

from __future__ import annotations

import threading
from array import array
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.bags.output import Replaceable, check_file_name, complete_output
from endo_depth_ros.bags.tum_file import write_tum
from endo_depth_ros.contracts import TrackingState
from endo_depth_ros.geometry.trajectory import Trajectory
from endo_depth_ros.geometry.transforms import Transform

if TYPE_CHECKING:
    from endo_depth_ros.pose.tracker import TrackedFrame

# Poses beyond the capacity that may wait to be taken away.
SPARE = 1000
SEEN = (TrackingState.TRACKING, TrackingState.RELOCALISED)


class TrajectoryLog:
    """Poses in the map of the frames that were tracked or found again; the oldest go when it is full.

    One thread may add while another reads. After `begin_anew` another path begins; of those before, the longest stays.
    """

    def __init__(self, capacity: int | None = None) -> None:
        """capacity: most poses kept of a path; None for no bound."""
        self._lock = threading.Lock()
        self._capacity = capacity
        self._path, self._earlier = _Path(capacity), _Path(capacity)

    def add(self, tracked: TrackedFrame) -> bool:
        """Keep the frame's pose if it rests on what was seen in it; whether it does."""
        if tracked.pose.state not in SEEN:
            return False
        with self._lock:
            self._path.add(tracked.pose.stamp_ns, tracked.pose_in_map())
        return True

    def begin_anew(self) -> None:
        """The next pose begins another path."""
        with self._lock:
            if len(self._path) > len(self._earlier):
                self._earlier = self._path
            self._path = _Path(self._capacity)

    def __len__(self) -> int:
        return len(self._path)

    def trajectory(self) -> Trajectory:
        """Camera-to-world poses in the order of their stamps."""
        with self._lock:
            copied = self._path.copy()
        return _trajectory_of(*copied)

    def earlier(self) -> Trajectory:
        """The longest path before the present one, empty where there was none."""
        with self._lock:
            copied = self._earlier.copy()
        return _trajectory_of(*copied)


class _Path:
    """Poses in the order of their stamps as plain numbers: hours of them must not be millions of objects."""

    def __init__(self, capacity: int | None) -> None:
        self._capacity = capacity
        self._stamps_ns = array("q")
        self._rows = array("d")  # the first three rows of each pose, one after the other

    def add(self, stamp_ns: int, T: Transform) -> None:
        self._stamps_ns.append(stamp_ns)
        self._rows.extend(T[:3].ravel().tolist())
        # Taking the oldest away moves all others, so many go at a time.
        if (spare := self._spare) > SPARE:
            del self._stamps_ns[:spare], self._rows[: 12 * spare]

    @property
    def _spare(self) -> int:
        """How many of the oldest are beyond the capacity."""
        return 0 if self._capacity is None else max(0, len(self._stamps_ns) - self._capacity)

    def __len__(self) -> int:
        return len(self._stamps_ns) - self._spare

    def copy(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Stamps [N] and the first three rows of the poses [N, 3, 4]."""
        rows = np.array(self._rows, np.float64).reshape(-1, 3, 4)
        return np.array(self._stamps_ns, np.int64)[self._spare :], rows[self._spare :]


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


def _trajectory_of(stamps_ns: NDArray[np.int64], rows: NDArray[np.float64]) -> Trajectory:
    """Made outside the lock: a pose that comes meanwhile need not wait for hours of them to be looked through."""
    poses = np.tile(np.eye(4), (len(rows), 1, 1))
    poses[:, :3] = rows
    return Trajectory(stamps_ns, poses)
