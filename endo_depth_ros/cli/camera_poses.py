"""The poses of a run of endo-depth process."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from endo_depth_ros.cli.parameter_file import values_for
from endo_depth_ros.contracts import DepthEstimate, FrameStatus
from endo_depth_ros.nodes.pose_settings import PoseNodeSettings
from endo_depth_ros.pose.frame_order import FrameOrder
from endo_depth_ros.pose.pipeline import PosePipeline
from endo_depth_ros.settings import changed, make

if TYPE_CHECKING:
    from endo_depth_ros.pose.tracker import TrackedFrame


def read_pose_settings(params: Path | None) -> PoseNodeSettings:
    """pose_node's settings of a parameter file, for runs that repeat. Raises SettingsError."""
    settings = make(PoseNodeSettings, values_for(params, "pose_node"))
    if settings.constant or settings.uses_kinematics:
        print(
            f"warning: {params}: constant and kinematics of pose_node are not used here, depth and poses keep the "
            "model's metres; set metres_per_unit of depth_node where the scale is known",
            file=sys.stderr,
        )
    return changed(settings, {"synchronous": True})


class CameraPoses:
    """Follows the camera through the answers of one run."""

    def __init__(self, settings: PoseNodeSettings) -> None:
        """Raises PoseUnavailableError where gtsam is missing."""
        self._pipeline = PosePipeline(settings)
        self._order = FrameOrder()
        self._first_segment = self._last_segment = 0

    @property
    def begins_anew(self) -> bool:
        """Whether the frame that was tracked last began another path, after a jump back in time."""
        return self._order.begins_anew

    def track(self, answer: DepthEstimate | FrameStatus, frame_id: str) -> TrackedFrame | None:
        """The pose of the next frame; None for a stamp that came before or comes late, as pose_node has it."""
        stamp_ns = answer.frame.stamp_ns if isinstance(answer, DepthEstimate) else answer.stamp_ns
        if not self._order.takes(stamp_ns, isinstance(answer, DepthEstimate)):
            return None
        if self._order.begins_anew:
            self._pipeline.reset()
            self._first_segment = self._last_segment + 1
        tracked = self._pipeline.track(answer, frame_id)
        self._last_segment = self._first_segment + tracked.segment
        return replace(tracked, segment=self._last_segment)
