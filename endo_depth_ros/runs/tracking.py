"""Camera poses of answered frames, by the tracker that pose_node runs."""

from __future__ import annotations

from dataclasses import replace

from endo_depth_ros.contracts import TrackingState
from endo_depth_ros.pose.frame_order import FrameOrder
from endo_depth_ros.pose.pipeline import PosePipeline
from endo_depth_ros.pose.settings import PoseSettings
from endo_depth_ros.runs.prediction_store import PredictionStore, TrackedPose

TRACKED = TrackingState.TRACKING, TrackingState.RELOCALISED


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
