"""The poses of all frames of a recording, on both sides of a jump back in time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from endo_depth_ros.contracts import DepthEstimate, FrameStatus
from endo_depth_ros.pose.frame_order import FrameOrder
from endo_depth_ros.pose.pipeline import PosePipeline
from endo_depth_ros.pose.settings import PoseSettings

if TYPE_CHECKING:
    from endo_depth_ros.pose.tracker import TrackedFrame


class CameraPoses:
    """Follows the camera through the answers of one run."""

    def __init__(self, settings: PoseSettings) -> None:
        """Raises PoseUnavailableError where gtsam is missing."""
        self.settings = settings
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

    def refine(self, estimate: DepthEstimate, tracked: TrackedFrame) -> DepthEstimate | None:
        """The depth of a frame in the unit of the map, as the camera's motion has it; None where it wasn't tracked."""
        return self._pipeline.refine(estimate, tracked)

    def close(self) -> None:
        """Stop the tracker."""
        self._pipeline.close()
