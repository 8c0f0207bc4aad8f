"""The figures of a recording's camera path: drift, windows, coverage, beside what a straight line would score."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.evaluation.protocol import UNITS, Protocol
from endo_depth_ros.evaluation.snippets import SnippetErrors, snippet_errors
from endo_depth_ros.evaluation.trajectory_metrics import Alignment, TrajectoryErrors, align, trajectory_errors
from endo_depth_ros.geometry.trajectory import Trajectory, TrajectoryError
from endo_depth_ros.runs.prediction_store import StoredFrame

RPE_PATH_M = 0.01
NO_POSE = (np.nan,) * 3
POSE_COLUMNS = (
    "pose_state", "pose_error", "pose_x", "pose_y", "pose_z", "true_x", "true_y", "true_z", "pose_reason",
)  # fmt: skip
Transforms = NDArray[np.float64]


@dataclass(frozen=True)
class PoseFigures:
    """Figures of one recording's camera path in the protocol's unit; of relative depth its first alignment is sim3.

    frames: with a true pose. tracked: of these, with an estimate. states: of all frames. segments: beginnings, whose
    poses are related by a guess. trajectory: by alignment, the headline's first; empty where too little was tracked.
    snippets: as papers on SCARED report them, None where the protocol does not.
    """

    frames: int
    tracked: int
    coverage: float
    states: dict[str, int]
    segments: int
    trajectory: dict[str, TrajectoryErrors]
    snippets: SnippetErrors | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class PoseAssessment:
    """Figures, and POSE_COLUMNS of every frame."""

    figures: PoseFigures
    rows: list[dict[str, Any]]


def assess_poses(frames: Sequence[StoredFrame], protocol: Protocol, relative: bool) -> PoseAssessment:
    """What the tracker said of the frames, against their true poses."""
    unit = 1 / UNITS[protocol.unit]
    posed = sort_by_stamp([frame for frame in frames if frame.T_world_camera is not None])
    truth = np.array([scaled(frame.true_pose(), unit) for frame in posed]).reshape(-1, 4, 4)
    estimate = np.array([scaled(pose_of(frame), unit) for frame in posed]).reshape(-1, 4, 4)
    tracked = np.isfinite(estimate).all(axis=(1, 2))
    stamps_ns = np.array([frame.status.stamp_ns for frame in posed], np.int64)
    seen, true = Trajectory(stamps_ns[tracked], estimate[tracked]), Trajectory(stamps_ns, truth)
    wanted = (Alignment.SIM3,) if relative else (Alignment.SE3, Alignment.SIM3)
    trajectory: dict[str, TrajectoryErrors] = {}
    aligned, notes = None, []
    try:
        require_some(tracked)
        trajectory = {a.value: trajectory_errors(seen, true, a, rpe_path_length=RPE_PATH_M * unit) for a in wanted}
        aligned, _ = align(seen, true.at(np.flatnonzero(tracked)), wanted[0])
    except TrajectoryError as error:
        notes.append(f"no error of the camera path: {error}")
    states = Counter(frame.tracked.state.value for frame in frames if frame.tracked is not None)
    figures = PoseFigures(
        frames=len(posed),
        tracked=int(tracked.sum()),
        coverage=float(tracked.mean()) if len(posed) else float("nan"),
        states=dict(states),
        segments=1 + max((frame.tracked.segment for frame in frames if frame.tracked is not None), default=0),
        trajectory=trajectory,
        snippets=windowed(estimate, truth, protocol.snippet_length),
        notes=tuple(notes),
    )
    at = {} if aligned is None else dict(zip(aligned.stamps_ns.tolist(), aligned.positions, strict=True))
    return PoseAssessment(figures, [pose_row(frame, at.get(frame.status.stamp_ns), unit) for frame in frames])


def require_some(tracked: NDArray[np.bool_]) -> None:
    """Raise TrajectoryError where too few poses are known for an alignment."""
    if tracked.sum() < 3:
        raise TrajectoryError(
            f"the camera was tracked in {tracked.sum()} of {len(tracked)} frames with a true pose, at least 3 are "
            "needed; frames.csv says why under pose_reason"
        )


def windowed(estimate: Transforms, truth: Transforms, length: int | None) -> SnippetErrors | None:
    """Errors over windows of so many poses; None where the protocol has none, or there are too few."""
    return None if length is None or len(truth) < 3 else snippet_errors(estimate, truth, length)


def sort_by_stamp(frames: Sequence[StoredFrame]) -> list[StoredFrame]:
    """The frames by time of their image, the first of several of one time."""
    by_stamp: dict[int, StoredFrame] = {}
    for frame in frames:
        by_stamp.setdefault(frame.status.stamp_ns, frame)
    return [by_stamp[stamp_ns] for stamp_ns in sorted(by_stamp)]


def pose_of(frame: StoredFrame) -> Transforms | None:
    """T_map_camera of a tracked frame."""
    return None if frame.tracked is None else frame.tracked.T_map_camera


def scaled(T: Transforms | None, factor: float) -> Transforms:
    """A pose [4, 4] in another unit; NaN for none."""
    if T is None:
        return np.full((4, 4), np.nan)
    made = T.copy()
    made[:3, 3] *= factor
    return made


def pose_row(frame: StoredFrame, aligned: NDArray[np.float64] | None, unit: float) -> dict[str, Any]:
    """POSE_COLUMNS of a frame. aligned: camera centre [3] on the truth, in the unit."""
    true = NO_POSE if frame.T_world_camera is None else tuple((frame.T_world_camera[:3, 3] * unit).tolist())
    centre = NO_POSE if aligned is None or frame.T_world_camera is None else tuple(aligned.tolist())
    error = float(np.linalg.norm(np.subtract(centre, true)))
    state, reason = ("", "") if frame.tracked is None else (frame.tracked.state.value, frame.tracked.reason)
    return dict(zip(POSE_COLUMNS, (state, error, *centre, *true, reason), strict=True))
