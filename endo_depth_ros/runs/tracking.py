"""Camera poses of answered frames, by the tracker that pose_node runs."""

from __future__ import annotations

from dataclasses import replace

from endo_depth_ros.pose.camera_poses import CameraPoses
from endo_depth_ros.pose.settings import PoseSettings
from endo_depth_ros.pose.trajectory_log import SEEN
from endo_depth_ros.runs.prediction_store import PredictionStore, TrackedPose


def track_frames(store: PredictionStore, settings: PoseSettings) -> None:
    """Follow the camera through all frames, as they come. Raises PoseUnavailableError where gtsam is missing."""
    poses = CameraPoses(replace(settings, synchronous=True))
    try:
        for frame in store.walk():
            seen = poses.track(store.estimate(frame.number) or frame.status, frame.frame_id)
            if seen is not None:
                pose = seen.pose_in_map() if seen.pose.state in SEEN else None
                frame.tracked = TrackedPose(seen.pose.state, pose, seen.segment, seen.reason)
    finally:
        poses.close()
