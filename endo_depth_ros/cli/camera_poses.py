"""The poses of a run of endo-depth process."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from endo_depth_ros.cli.parameter_file import values_for
from endo_depth_ros.contracts import DepthEstimate, FrameStatus
from endo_depth_ros.nodes.pose_settings import PoseNodeSettings
from endo_depth_ros.pose.pipeline import PosePipeline
from endo_depth_ros.settings import changed, make

if TYPE_CHECKING:
    from endo_depth_ros.pose.tracker import TrackedFrame


def read_pose_settings(params: Path | None) -> PoseNodeSettings:
    """pose_node's settings of a parameter file, for runs that repeat. Raises SettingsError."""
    return changed(make(PoseNodeSettings, values_for(params, "pose_node")), {"synchronous": True})


class CameraPoses:
    """Follows the camera through the answers of one run."""

    def __init__(self, settings: PoseNodeSettings) -> None:
        """Raises PoseUnavailableError where gtsam is missing."""
        self._pipeline = PosePipeline(settings)

    def track(self, answer: DepthEstimate | FrameStatus, frame_id: str) -> TrackedFrame | None:
        """The pose of the next frame; None where stamps don't rise, which has a place in no trajectory."""
        stamp_ns = answer.frame.stamp_ns if isinstance(answer, DepthEstimate) else answer.stamp_ns
        last_ns = self._pipeline.last_stamp_ns
        if last_ns is not None and stamp_ns <= last_ns:
            return None
        return self._pipeline.track(answer, frame_id)
