"""Camera poses of answered frames, by the tracker that pose_node runs."""

from __future__ import annotations

from dataclasses import replace

from endo_depth_ros.contracts import TrackingState
from endo_depth_ros.pose.pipeline import PosePipeline
from endo_depth_ros.pose.settings import PoseSettings
from endo_depth_ros.runs.prediction_store import PredictionStore, TrackedPose
from endo_depth_ros.stamps import NANOSECONDS

TRACKED = TrackingState.TRACKING, TrackingState.RELOCALISED


class FrameOrder:
    """Which frames pose_node takes: none twice, and after a jump back in time it begins anew."""

    def __init__(self) -> None:
        self._latest_ns: int | None = None
        self.begins_anew = False

    def takes(self, stamp_ns: int, has_depth: bool) -> bool:
        """Whether the next frame is taken; `begins_anew` then tells whether a new path begins with it."""
        back_ns = 0 if self._latest_ns is None else self._latest_ns - stamp_ns
        # Frames without depth may overtake those with it; such a one is no jump.
        if stamp_ns == self._latest_ns or (0 < back_ns < NANOSECONDS and not has_depth):
            return False
        self.begins_anew = back_ns > 0
        self._latest_ns = stamp_ns
        return True


def track_frames(store: PredictionStore, settings: PoseSettings) -> None:
    """Follow the camera through all frames, as they come. Raises PoseUnavailableError where gtsam is missing."""
    pipeline = PosePipeline(replace(settings, synchronous=True))
    order, first_segment, last_segment = FrameOrder(), 0, 0
    try:
        for frame in store.walk():
            estimate = store.estimate(frame.number)
            if not order.takes(frame.status.stamp_ns, estimate is not None):
                continue
            if order.begins_anew:
                pipeline.reset()
                first_segment = last_segment + 1
            seen = pipeline.track(estimate or frame.status, frame.frame_id)
            pose = seen.pose_in_map() if seen.pose.state in TRACKED else None
            last_segment = first_segment + seen.segment
            frame.tracked = TrackedPose(seen.pose.state, pose, last_segment, seen.reason)
    finally:
        pipeline.close()
