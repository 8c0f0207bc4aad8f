"""TUM RGB-D: a hand-held Kinect in rooms with motion capture (Sturm et al. 2012).

SEQUENCE: rgb.txt and depth.txt (time, file), groundtruth.txt (time, position, quaternion x y z w of the optical frame
in the world, metres), depth as 16-bit PNG, 5000 levels a metre, registered to colour. Times of the three differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.bags.tum_file import parse_seconds, read_tum
from endo_depth_ros.datasets.file_reading import read_color, read_depth_levels
from endo_depth_ros.datasets.truth_sequence import (
    DatasetError,
    Layout,
    ReadOptions,
    TruthFrame,
    TruthSequence,
    make_truth_frame,
)
from endo_depth_ros.evaluation.trajectory_metrics import associate
from endo_depth_ros.geometry.camera import PLUMB_BOB, Camera
from endo_depth_ros.geometry.trajectory import Trajectory, TrajectoryError

METRES_PER_LEVEL = 1 / 5000
# What the data set's own associate.py takes.
TOLERANCE_NS = 20_000_000
WIDTH, HEIGHT = 640, 480
# Published intrinsics and distortion of the three cameras, by what the sequence's name holds.
LENSES = {
    "freiburg1": ((517.3, 516.5, 318.6, 255.3), (0.2624, -0.9531, -0.0054, 0.0026, 1.1633)),
    "freiburg2": ((520.9, 521.0, 325.1, 249.7), (0.2312, -0.7849, -0.0033, -0.0001, 0.9172)),
    "freiburg3": ((535.4, 539.2, 320.1, 247.6), ()),
}


def open_sequence(folder: Path, name: str, options: ReadOptions) -> TruthSequence:
    """Every colour image, with the depth and pose within 20 ms of it. Raises DatasetError."""
    images, depths = _read_list(folder / "rgb.txt"), _read_list(folder / "depth.txt")
    if not images:
        raise DatasetError(f"{folder / 'rgb.txt'}: lists no image; get the sequence again")
    try:
        poses = read_tum(folder / "groundtruth.txt")
    except TrajectoryError as error:
        raise DatasetError(str(error)) from error
    stamps = np.array([stamp_ns for stamp_ns, _ in images], np.int64)
    depth_of = _partners(stamps, np.array([stamp_ns for stamp_ns, _ in depths], np.int64))
    pose_of = _nearest_pose(stamps, poses)
    own = _lens(name)

    def read() -> Iterator[TruthFrame]:
        for index, (stamp_ns, path) in enumerate(images):
            image = read_color(path)
            depth_path = depths[depth_of[index]][1] if index in depth_of else None
            depth = None if depth_path is None else read_depth_levels(depth_path, METRES_PER_LEVEL)
            yield make_truth_frame(
                stamp_ns, options.frame_id, image, options.camera_of(image, own, path), depth, pose_of.get(index),
                depth_path or path,
            )  # fmt: skip

    notes = [
        f"{len(found)} of {len(images)} frames have a {what}"
        for what, found in (("depth", depth_of), ("pose", pose_of))
        if len(found) < len(images)
    ]
    return TruthSequence("tum_rgbd", name, len(images), read, notes=tuple(notes))


LAYOUT = Layout(
    "tum_rgbd",
    "TUM RGB-D",
    (".", "*"),
    lambda folder: all((folder / name).is_file() for name in ("rgb.txt", "depth.txt", "groundtruth.txt")),
    open_sequence,
    "rgb.txt, depth.txt and groundtruth.txt",
)


def _read_list(path: Path) -> list[tuple[int, Path]]:
    """Stamps and files of a list, in time order."""
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path}: not a readable text file ({error}); check the path") from error
    found = []
    for number, line in enumerate(lines, start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        try:
            stamp, name = words
            found.append((parse_seconds(stamp), path.parent / name))
        except ValueError as error:
            raise DatasetError(f"{path}: line {number} is not 'time file'; get the sequence again") from error
    return sorted(found)


def _partners(stamps: NDArray[np.int64], others: NDArray[np.int64]) -> dict[int, int]:
    """Index of the other for each stamp that has one within the tolerance; none is used twice."""
    return dict(zip(*(index.tolist() for index in associate(stamps, others, TOLERANCE_NS)), strict=True))


def _nearest_pose(stamps: NDArray[np.int64], poses: Trajectory) -> dict[int, NDArray[np.float64]]:
    """T_world_camera nearest in time, by index of the frame. Motion capture is faster than the camera."""
    partners = _partners(stamps, poses.stamps_ns)
    return {index: poses.T_world_camera[pose] for index, pose in partners.items()}


def _lens(name: str) -> Camera | None:
    for key, ((fx, fy, cx, cy), D) in LENSES.items():
        if key in name:
            K = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1.0]])
            return Camera(WIDTH, HEIGHT, K, PLUMB_BOB, np.array(D)) if D else Camera(WIDTH, HEIGHT, K)
    return None
