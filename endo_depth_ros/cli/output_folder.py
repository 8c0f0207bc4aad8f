"""The folder that endo-depth process leaves: depth, sigma, states, trajectory, camera, preview, summary."""

from __future__ import annotations

import csv
import errno
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from endo_depth_ros.bags.camera_yaml import write_camera
from endo_depth_ros.bags.output import OutputError
from endo_depth_ros.cli.preview_video import PreviewVideo
from endo_depth_ros.contracts import DepthEstimate, FrameStatus
from endo_depth_ros.geometry.camera import Camera
from endo_depth_ros.json_file import write_json
from endo_depth_ros.pose.trajectory_log import TrajectoryLog, earlier_path, write_paths

if TYPE_CHECKING:
    from endo_depth_ros.pose.tracker import TrackedFrame

SCHEMA_VERSION = 1
COLUMNS = (
    "frame",
    "input_frame",
    "stamp_ns",
    "verdict",
    "coverage",
    "scale_state",
    "scale",
    "scale_epoch",
    "calibrated",
    "field_of_view",
    "reason",
    "tracking_state",
    "segment",
    "correction",
    "tracking_reason",
    "refined",
)
TRAJECTORY = "trajectory.tum"
EARLIER = earlier_path(Path(TRAJECTORY)).name
OUT_OF_ORDER = "the stamp came before, or the frame comes late"
STATES, SUMMARY, PREVIEW, CAMERA = "states.csv", "summary.json", "preview.mp4", "camera.yaml"
MAPS = ("depth", "sigma")
RESULTS = (*MAPS, STATES, SUMMARY, PREVIEW, CAMERA, TRAJECTORY, EARLIER)
LATER_CAMERA = re.compile(r"camera_\d{6}\.yaml")


class OutputFolder:
    """Writes one file a frame as it comes, so that an interrupted run keeps what it has computed."""

    def __init__(self, path: Path, fps: float, every: int, force: bool) -> None:
        """fps: of the preview. every: input frames a result stands for. Raises OutputError when results are there."""
        present = [name for name in RESULTS if (path / name).exists()]
        if present and not force:
            raise OutputError(f"{path} holds {present[0]} already; choose another folder or give --force")
        with explained(path):
            remove_results(path)
            for name in MAPS:
                (path / name).mkdir(parents=True)
            # Line by line, so that a full disk or a kill loses no row of a frame that is there.
            self._states_file = (path / STATES).open("w", newline="", buffering=1)
        self.path = path
        self.answered = 0
        self._every = every
        self._written = self._refined = 0
        self._verdicts: Counter[str] = Counter()
        self._scale_states: Counter[str] = Counter()
        self._coverages: list[float] = []
        self._camera: Camera | None = None
        self._unsized: list[int] = []
        self._reasons: Counter[str] = Counter()
        self._tracking_states: Counter[str] = Counter()
        self._trajectory = TrajectoryLog()
        self._preview = PreviewVideo(path / PREVIEW, fps)
        self._states = csv.DictWriter(self._states_file, COLUMNS)
        self._states.writeheader()

    def __enter__(self) -> OutputFolder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the files, also after an error."""
        self._states_file.close()
        self._preview.close()

    def write(
        self,
        answer: DepthEstimate | FrameStatus,
        tracked: TrackedFrame | None = None,
        begins_anew: bool = False,
        is_refined: bool = False,
    ) -> None:
        """Write one frame: its depth, or nothing but NaN where it could not be answered, and its row.

        tracked: its pose, None where none was asked for or its stamp has no place in a path. begins_anew: whether
        another path begins with it. is_refined: whether its depth is as the camera's motion has it. The trajectory is
        written by `finish`.
        Raises OutputError when the disk refuses it.
        """
        status = answer.status if isinstance(answer, DepthEstimate) else answer
        with explained(self.path):
            if isinstance(answer, DepthEstimate):
                self._note_camera(answer.frame.camera)
                self._save(self._written, answer.depth, answer.sigma)
                self._preview.write(answer)
            elif self._camera is not None:
                self._save_nothing(self._written, self._camera)
            self._write_row(status, tracked, is_refined)
        self._count(answer, status)
        self._refined += is_refined
        if tracked is not None:
            self._tracking_states[tracked.pose.state.value] += 1
            if begins_anew:
                self._trajectory.begin_anew()
            self._trajectory.add(tracked)

    def _count(self, answer: DepthEstimate | FrameStatus, status: FrameStatus) -> None:
        if isinstance(answer, DepthEstimate):
            self._coverages.append(status.coverage)
            self.answered += bool(answer.valid.any())
        elif self._camera is None:
            self._unsized.append(self._written)
        self._verdicts[status.verdict.value] += 1
        self._scale_states[status.scale.state.value] += 1
        self._reasons[status.reason] += 1
        self._written += 1

    def finish(self, facts: dict[str, Any]) -> None:
        """Write summary.json: what was done, with which settings, and how much of it can be trusted.

        What an interruption left of a frame without a row is removed. Raises OutputError.
        """
        summary = {
            "schema_version": SCHEMA_VERSION,
            **facts,
            "frames": self._written,
            "frames_with_depth": self.answered,
            "frames_with_refined_depth": self._refined,
            "verdicts": dict(self._verdicts),
            "scale_states": dict(self._scale_states),
            "tracking_states": dict(self._tracking_states),
            "trajectory_poses": len(self._trajectory),
            "mean_coverage": float(np.mean(self._coverages)) if self._coverages else None,
        }
        with explained(self.path):
            for name in MAPS:
                (self.path / name / f"{self._written:06d}.npy").unlink(missing_ok=True)
            if self._tracking_states:
                write_paths(self.path / TRAJECTORY, self._trajectory)
            write_json(self.path / SUMMARY, summary)

    def report(self) -> str:
        """What was written, for people."""
        verdicts = ", ".join(f"{count} {verdict}" for verdict, count in self._verdicts.most_common())
        head = f"{self.path}: {self._written} frames ({verdicts or 'none'})"
        if not self.answered:
            reason = next(iter(self._reasons.most_common(1)), ("the input has no frames", 0))[0]
            return f"{head}; no depth: {reason}"
        scale = "; depth is relative, not metres" if set(self._scale_states) == {"relative"} else ""
        return f"{head}{scale}. Look at {self.path / PREVIEW} first.{self._describe_trajectory()}"

    def _describe_trajectory(self) -> str:
        if not self._tracking_states:
            return ""
        poses, earlier = len(self._trajectory), len(self._trajectory.earlier().stamps_ns)
        before = f"; stamps went back, {EARLIER} beside it has {earlier} poses of before" if earlier else ""
        unseen = self._written - poses - earlier
        return f" {self.path / TRAJECTORY}: {poses} poses ({unseen} frames without one){before}."

    def _write_row(self, status: FrameStatus, tracked: TrackedFrame | None, is_refined: bool) -> None:
        pose: dict[str, object] = {}
        if tracked is None and self._tracking_states:
            pose = {"tracking_reason": OUT_OF_ORDER}
        elif tracked is not None:
            pose = {
                "tracking_state": tracked.pose.state.value,
                "segment": tracked.segment,
                "correction": tracked.correction,
                "tracking_reason": tracked.reason,
            }
        self._states.writerow(
            {
                "frame": self._written,
                "input_frame": self._written * self._every,
                "stamp_ns": status.stamp_ns,
                "verdict": status.verdict.value,
                "coverage": f"{status.coverage:.4f}",
                "scale_state": status.scale.state.value,
                "scale": repr(status.scale.value),
                "scale_epoch": status.scale.epoch,
                "calibrated": str(status.calibrated).lower(),
                "field_of_view": status.field_of_view,
                "reason": status.reason,
                "refined": str(is_refined).lower(),
                **pose,
            }
        )

    def _note_camera(self, camera: Camera) -> None:
        if camera == self._camera:
            return
        name = CAMERA if self._camera is None else f"camera_{self._written:06d}.yaml"
        write_camera(self.path / name, camera)
        self._camera = camera
        for number in self._unsized:
            self._save_nothing(number, camera)
        self._unsized.clear()

    def _save(self, number: int, depth: np.ndarray[Any, Any], sigma: np.ndarray[Any, Any]) -> None:
        np.save(self.path / "depth" / f"{number:06d}.npy", depth)
        np.save(self.path / "sigma" / f"{number:06d}.npy", sigma)

    def _save_nothing(self, number: int, camera: Camera) -> None:
        nothing = np.full((camera.height, camera.width), np.nan, np.float32)
        self._save(number, nothing, nothing)


def remove_results(path: Path) -> None:
    """Remove what an earlier run left, and nothing else."""
    for old in path.iterdir() if path.is_dir() else ():
        if old.name in MAPS:
            shutil.rmtree(old)
        elif old.name in RESULTS or LATER_CAMERA.fullmatch(old.name):
            old.unlink()


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn the system's errors into OutputError with the folder and what to do."""
    try:
        yield
    except OSError as error:
        where = error.filename or path
        remedy = "free some disk space" if error.errno == errno.ENOSPC else "choose a folder that can be written"
        raise OutputError(f"{where}: can't be written ({error.strerror}); {remedy}") from error
