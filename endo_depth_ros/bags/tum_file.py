"""Trajectories as TUM files: one line a pose, `time x y z qx qy qz qw`, seconds and metres."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from endo_depth_ros.geometry.trajectory import Trajectory, TrajectoryError
from endo_depth_ros.geometry.transforms import pose_matrix, quaternion_xyzw
from endo_depth_ros.stamps import NANOSECONDS


def write_tum(path: Path, trajectory: Trajectory) -> None:
    """Write camera-to-world poses; stamps keep their nanoseconds."""
    lines = ["# time x y z qx qy qz qw"]
    for stamp_ns, T in zip(trajectory.stamps_ns.tolist(), trajectory.T_world_camera, strict=True):
        time = f"{stamp_ns // NANOSECONDS}.{stamp_ns % NANOSECONDS:09d}"
        lines.append(" ".join([time, *(f"{value:.9g}" for value in (*T[:3, 3], *quaternion_xyzw(T)))]))
    path.write_text("\n".join(lines) + "\n")


def read_tum(path: Path) -> Trajectory:
    """Read camera-to-world poses. Raises TrajectoryError with the file and the line that is wrong."""
    stamps, poses = [], []
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise TrajectoryError(f"{path}: not a readable trajectory file ({error})") from error
    for number, line in enumerate(lines, start=1):
        words = line.replace(",", " ").split()
        if not words or words[0].startswith("#"):
            continue
        try:
            x, y, z, qx, qy, qz, qw = (float(word) for word in words[1:])
            poses.append(pose_matrix([x, y, z], [qx, qy, qz, qw]))
            stamps.append(parse_seconds(words[0]))
        except ValueError as error:
            raise TrajectoryError(f"{path}: line {number} is not 'time x y z qx qy qz qw'; correct it") from error
    try:
        return Trajectory(np.array(stamps, np.int64), np.array(poses, np.float64).reshape(-1, 4, 4))
    except TrajectoryError as error:
        raise TrajectoryError(f"{path}: {error}") from error


def parse_seconds(text: str) -> int:
    """Seconds as written to nanoseconds; a float would lose the last digits of stamps. Raises ValueError."""
    whole, _, fraction = text.partition(".")
    if not (whole + fraction).isdigit():
        return round(float(text) * NANOSECONDS)
    return int(whole or "0") * NANOSECONDS + int(fraction[:9].ljust(9, "0"))
