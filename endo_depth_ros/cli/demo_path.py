"""Where the camera went in a demo on a video without true poses: a file, a picture and a sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from endo_depth_ros.bags.tum_file import write_tum
from endo_depth_ros.contracts import DepthEstimate, FrameStatus
from endo_depth_ros.evaluation.contact_sheet import DepthUnit
from endo_depth_ros.nodes.pose_settings import PoseNodeSettings
from endo_depth_ros.pose.camera_poses import CameraPoses
from endo_depth_ros.pose.pipeline import PoseUnavailableError
from endo_depth_ros.pose.trajectory_log import TrajectoryLog
from endo_depth_ros.runs.plots import plot_camera_path

TRAJECTORY, PATH_PICTURE = "trajectory.tum", "camera_path.png"
FEWEST_DRAWN = 2


def write_path(folder: Path, answers: Iterable[DepthEstimate | FrameStatus], unit: DepthUnit) -> list[str]:
    """Follow the camera with pose_node's tracker; the lines that say what became of it. unit: to show lengths in."""
    try:
        poses = CameraPoses(PoseNodeSettings(synchronous=True))
    except PoseUnavailableError as error:
        return [f"Camera path: none, {error}"]
    log, states = TrajectoryLog(), Counter[str]()
    for answer in answers:
        tracked = poses.track(answer, "")
        if tracked is not None:
            log.add(tracked)
            states[tracked.pose.state.value] += 1
    trajectory = log.trajectory()
    told = ", ".join(f"{count} {state}" for state, count in states.most_common())
    if len(trajectory.stamps_ns) < FEWEST_DRAWN:
        return [f"Camera path: too few frames could be tracked ({told})."]
    write_tum(folder / TRAJECTORY, trajectory)
    plot_camera_path(folder / PATH_PICTURE, trajectory, unit)
    length = unit.per_depth * float(np.linalg.norm(np.diff(trajectory.positions, axis=0), axis=1).sum())
    return [
        f"Camera path: {length:.3g} {unit.name} long, {told}; nothing to compare it with.",
        f"  {folder / PATH_PICTURE}     where the camera went; {TRAJECTORY} holds the poses",
    ]
