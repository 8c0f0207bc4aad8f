"""EndoSLAM: a rendered capsule with depth, and robot-held endoscopes in real organs (Ozyoruk et al. 2021).

UnityCam/ORGAN: Frames/image_0000.png, "Pixelwise Depths"/aov_image_0000.png (8 bit RGBA, all channels alike, without a
unit), Poses/*_position_rotation.csv (tX tY tZ rX rY rZ rW time, Unity axes and units, row i for frame i, the last rows
missing or broken off). Cameras/CAMERA/ORGAN/TRAJECTORY: Frames/frame_000060.jpg, Poses/*.xlsx (metres, ImageFrame is
the number in the file's name), no depth that fits the pixels. Calibration/cam.txt of each camera holds K.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.datasets.file_reading import (
    decode_any,
    numbered_files,
    read_bytes,
    read_color,
    read_matrix,
)
from endo_depth_ros.datasets.truth_sequence import (
    DatasetError,
    Layout,
    ReadOptions,
    TruthFrame,
    TruthSequence,
    make_truth_frame,
    pinhole,
)
from endo_depth_ros.datasets.unity import pose_from_unity
from endo_depth_ros.datasets.xlsx import read_sheet
from endo_depth_ros.geometry.transforms import pose_matrix

DEPTHS = "Pixelwise Depths"
FRAME, DEPTH_NAME = r"[a-z]+_0*(\d+)\.(?:png|jpg)", r"aov_image_0*(\d+)\.png"
RATES = {"UnityCam": 30.0, "HighCam": 20.0, "LowCam": 20.0, "MiroCam": 3.0, "OlympusCam": 30.0}
DEFAULT_RATE = 20.0
SHEET_COLUMNS = ("trans_x", "trans_y", "trans_z", "quot_x", "quot_y", "quot_z", "quot_w")
Pose = NDArray[np.float64]


def name_of(folder: Path) -> str:
    """UnityCam/Colon, or HighCam/Colon-IV/TumorfreeTrajectory_1."""
    parts = folder.parts[-2:] if (folder / DEPTHS).is_dir() else folder.parts[-3:]
    return "/".join(parts)


def open_sequence(folder: Path, name: str, options: ReadOptions) -> TruthSequence:
    """The frames of one organ or trajectory; poses where the data set has them. Raises DatasetError."""
    frames = numbered_files(folder / "Frames", FRAME)
    if not frames:
        raise DatasetError(f"{folder / 'Frames'}: there are no frames; extract the data set again")
    depths = numbered_files(folder / DEPTHS, DEPTH_NAME)
    poses = _read_poses(folder / "Poses", sorted(frames))
    calibration = _find_calibration(folder)
    rate = next((rate for camera, rate in RATES.items() if camera in folder.parts), DEFAULT_RATE)
    first = next(iter(frames))

    def read() -> Iterator[TruthFrame]:
        for number, path in frames.items():
            image = read_color(path)
            K = None if calibration is None else read_matrix(calibration)
            own = None if K is None else pinhole(K, image.shape[1], image.shape[0], calibration or path)
            depth_path = depths.get(number)
            depth = None if depth_path is None else _read_depth(depth_path)
            yield make_truth_frame(
                options.stamp_ns(number - first, rate), options.frame_id, image, options.camera_of(image, own, path),
                depth, poses.get(number), depth_path or path,
            )  # fmt: skip

    notes = []
    if depths:
        notes.append("depth is 8 bit and without a unit, translations are in Unity's: only shapes can be compared")
    else:
        notes.append("there is no depth that fits the pixels; poses are the robot's")
    if len(poses) < len(frames):
        notes.append(f"{len(poses)} of {len(frames)} frames have a pose")
    return TruthSequence("endoslam", name, len(frames), read, relative_depth=bool(depths), notes=tuple(notes))


LAYOUT = Layout(
    "endoslam",
    "EndoSLAM",
    (".", "*", "*/*rajectory*", "*Cam/*/*rajectory*", "UnityCam/*", "Cameras/*Cam/*/*rajectory*"),
    lambda folder: (folder / "Frames").is_dir() and (folder / "Poses").is_dir(),
    open_sequence,
    "UnityCam/ORGAN or Cameras/CAMERA/ORGAN/TRAJECTORY with Frames and Poses",
    name_of,
)


def _read_depth(path: Path) -> NDArray[np.float32]:
    """Level / 255, float32 [H, W], NaN for level 0."""
    levels = decode_any(read_bytes(path), path)
    if levels.dtype != np.uint8:
        raise DatasetError(f"{path}: depth should be 8 bit but is {levels.dtype}; get the original file")
    # OpenCV's third channel is red, the one that readers agree on; all are alike.
    red = levels if levels.ndim == 2 else levels[..., 2]
    return np.where(red > 0, red.astype(np.float32) / np.float32(255), np.float32(np.nan))


def _find_calibration(folder: Path) -> Path | None:
    """Calibration/cam.txt of the camera: beside the organ or one folder above it."""
    candidates = [parent / "Calibration" / name for parent in folder.parents[:2] for name in ("cam.txt", "cam.txt.txt")]
    return next((path for path in candidates if path.is_file()), None)


def _read_poses(folder: Path, numbers: list[int]) -> dict[int, Pose]:
    """T_world_camera by the number of the frame; none where there is no file."""
    readers: tuple[tuple[str, Callable[[Path, list[int]], dict[int, Pose]]], ...] = (
        ("*_position_rotation.csv", _read_unity_poses),
        ("*.xlsx", _read_robot_poses),
    )
    for pattern, reader in readers:
        found = sorted(folder.glob(pattern))
        if found:
            return reader(found[0], numbers)
    return {}


def _read_unity_poses(path: Path, numbers: list[int]) -> dict[int, Pose]:
    """Row i is frame i's, in Unity's axes; a row that breaks off ends them, as the published files do."""
    poses = {}
    rows = read_bytes(path).decode(errors="replace").splitlines()[1:]
    for row, number in zip(rows, numbers, strict=False):
        values = [_number(word) for word in row.replace(";", ",").split(",")[:7]]
        if len(values) < 7 or not all(map(math.isfinite, values)):
            break
        poses[number] = _make_pose(pose_from_unity, values, path, number)
    return poses


def _read_robot_poses(path: Path, numbers: list[int]) -> dict[int, Pose]:
    """ImageFrame names the frame; rows are neither complete nor in the order of the frames."""
    rows = read_sheet(path)
    wanted = set(numbers)
    missing = [name for name in ("ImageFrame", *SHEET_COLUMNS) if rows and name not in rows[0]]
    if missing:
        raise DatasetError(f"{path}: has no column {missing[0]}; get the data set again")
    poses = {}
    for row in rows:
        values = [_number(row.get(name, "")) for name in ("ImageFrame", *SHEET_COLUMNS)]
        if all(map(math.isfinite, values)) and int(values[0]) in wanted:
            poses[int(values[0])] = _make_pose(pose_matrix, values[1:], path, int(values[0]))
    return poses


def _make_pose(
    convert: Callable[[NDArray[np.float64], NDArray[np.float64]], Pose], values: list[float], path: Path, number: int
) -> Pose:
    """The pose of position and quaternion, seven values."""
    try:
        return convert(np.array(values[:3]), np.array(values[3:]))
    except ValueError as error:
        raise DatasetError(f"{path}: the pose of frame {number} has no rotation ({error}); get it again") from error


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        return math.nan
