"""Camera poses of answered frames, by the tracker that pose_node runs."""

from __future__ import annotations

from dataclasses import replace

from endo_depth_ros.pose.camera_poses import CameraPoses
from endo_depth_ros.pose.settings import PoseSettings
from endo_depth_ros.pose.trajectory_log import SEEN
from endo_depth_ros.runs.prediction_store import PredictionStore, TrackedPose


def track_frames(store: PredictionStore, settings: PoseSettings, refines: bool = False) -> int:
    """Follow the camera through all frames, as they come; the number of those whose depth was refined.

    refines: whether their depth becomes what the camera's motion makes of it. Raises PoseUnavailableError where gtsam
    is missing.
    """
    poses, count = CameraPoses(replace(settings, synchronous=True)), 0
    try:
        for frame in store.walk():
            estimate = store.estimate(frame.number)
            seen = poses.track(estimate or frame.status, frame.frame_id)
            if seen is not None:
                pose = seen.pose_in_map() if seen.pose.state in SEEN else None
                frame.tracked = TrackedPose(seen.pose.state, pose, seen.segment, seen.reason)
                refined = poses.refine(estimate, seen) if refines and estimate is not None else None
                if refined is not None:
                    store.refine(frame.number, refined)
                    count += 1
    finally:
        poses.close()
    return count
