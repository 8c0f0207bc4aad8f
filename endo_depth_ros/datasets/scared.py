"""SCARED: da Vinci video of porcine abdomens with structured light at keyframes (Allan et al. 2021).

dataset_N/keyframe_M: endoscope_calibration.yaml (OpenCV: M1, D1 of the left camera), Left_Image.png and
left_depth_map.tiff (the keyframe), data/rgb.mp4 (left image above right image), data/frame_data.tar.gz (JSON:
camera-pose maps the world into the camera, millimetres), data/scene_points.tar.gz (TIFF of x, y, z, left above right,
millimetres, in the distorted pixels). Archives may be extracted. Frame i of the video belongs to number i of both.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.bags.source import SourceError
from endo_depth_ros.bags.video import VideoSource
from endo_depth_ros.datasets.archive import NumberedFiles
from endo_depth_ros.datasets.file_reading import decode_any, read_bytes, read_color
from endo_depth_ros.datasets.truth_sequence import (
    DatasetError,
    Layout,
    ReadOptions,
    TruthFrame,
    TruthSequence,
    check_pose,
    make_truth_frame,
    pinhole,
)
from endo_depth_ros.geometry.camera import PLUMB_BOB, Camera
from endo_depth_ros.geometry.transforms import invert_transform

CALIBRATION, VIDEO = "endoscope_calibration.yaml", "rgb.mp4"
KEYFRAME_IMAGE, KEYFRAME_POINTS = "Left_Image.png", "left_depth_map.tiff"
FOLDERS = (".", "keyframe*", "dataset*/keyframe*")
MILLIMETRE = 0.001
BAD_CALIBRATION = re.compile(r"dataset_?[45]")
BAD_CALIBRATION_NOTE = "the calibration of datasets 4 and 5 is known to be wrong, so that depth and image don't fit"
DRIFT_NOTE = "depth between keyframes is the keyframe's, moved by kinematics, and drifts with distance from it"


def name_of(folder: Path) -> str:
    """Such as dataset_1/keyframe_2, as protocols name it."""
    return f"{folder.parent.name}/{folder.name}"


def open_video(folder: Path, name: str, options: ReadOptions) -> TruthSequence:
    """All frames of a keyframe's video. Raises DatasetError."""
    try:
        video = VideoSource(folder / "data" / VIDEO)
    except SourceError as error:
        raise DatasetError(str(error)) from error
    calibration = _read_calibration(folder / CALIBRATION)
    count = video.frame_count or 0
    notes = [DRIFT_NOTE, *([BAD_CALIBRATION_NOTE] if BAD_CALIBRATION.search(name) else [])]
    with _frame_data(folder) as poses, _scene_points(folder) as points:
        # Listing an archive of points would read tens of gigabytes.
        listed = [("pose", poses), *([("depth", points)] if points.extracted else [])]
        for what, files in listed:
            known = len(files.numbers & set(range(count)))
            if known < count:
                notes.append(f"{known} of {count} frames have a {what}")

    def read() -> Iterator[TruthFrame]:
        with _frame_data(folder) as poses, _scene_points(folder) as points:
            for index, source_frame in enumerate(video):
                if source_frame.image is None:
                    raise DatasetError(f"{folder / 'data' / VIDEO}: {source_frame.error}")
                # A copy, so that the right image's half of the memory is let go.
                image = source_frame.image[: source_frame.image.shape[0] // 2].copy()
                (K, D), T_world_camera = calibration, None
                frame_data, scene_points = poses.read(index), points.read(index)
                if frame_data is not None:
                    K, D, T_world_camera = _parse_frame_data(frame_data, poses.path(index))
                camera = options.camera_of(image, _camera(K, D, image, folder / CALIBRATION), folder / "data" / VIDEO)
                where = points.path(index)
                depth = None if scene_points is None else _left_depth(scene_points, where, image.shape[0])
                stamp_ns = options.stamp_ns(index, video.fps or 30.0)
                yield make_truth_frame(stamp_ns, options.frame_id, image, camera, depth, T_world_camera, where)

    return TruthSequence("scared", name, count, read, notes=tuple(notes))


def open_keyframe(folder: Path, name: str, options: ReadOptions) -> TruthSequence:
    """The keyframe alone, the only frame whose depth was measured. Raises DatasetError."""
    calibration = _read_calibration(folder / CALIBRATION)

    def read() -> Iterator[TruthFrame]:
        image = read_color(folder / KEYFRAME_IMAGE)
        camera = options.camera_of(image, _camera(*calibration, image, folder / CALIBRATION), folder / KEYFRAME_IMAGE)
        where = folder / KEYFRAME_POINTS
        depth = _left_depth(read_bytes(where), where, image.shape[0])
        yield make_truth_frame(options.stamp_ns(0, 1.0), options.frame_id, image, camera, depth, None, where)

    notes = (BAD_CALIBRATION_NOTE,) if BAD_CALIBRATION.search(name) else ()
    return TruthSequence("scared_keyframes", name, 1, read, notes=notes)


VIDEOS = Layout(
    "scared",
    "SCARED, videos",
    FOLDERS,
    lambda folder: (folder / CALIBRATION).is_file() and (folder / "data" / VIDEO).is_file(),
    open_video,
    f"dataset_N/keyframe_M/{CALIBRATION} and data/{VIDEO}",
    name_of,
)
KEYFRAMES = Layout(
    "scared_keyframes",
    "SCARED, keyframes only",
    FOLDERS,
    lambda folder: (folder / CALIBRATION).is_file() and (folder / KEYFRAME_POINTS).is_file(),
    open_keyframe,
    f"dataset_N/keyframe_M/{CALIBRATION} and {KEYFRAME_POINTS}",
    name_of,
)


def _frame_data(folder: Path) -> NumberedFiles:
    return NumberedFiles(folder / "data", "frame_data", ".json")


def _scene_points(folder: Path) -> NumberedFiles:
    return NumberedFiles(folder / "data", "scene_points", ".tiff")


def _read_calibration(path: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """K [3, 3] and D [n] of the left camera."""
    try:
        storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_READ)
        K, D = storage.getNode("M1").mat(), storage.getNode("D1").mat()
        storage.release()
    # For a file without YAML the binding leaves an error of its own.
    except (cv2.error, SystemError) as error:
        raise DatasetError(f"{path}: not a calibration that OpenCV can read; get it again") from error
    if K is None or D is None or np.shape(K) != (3, 3):
        raise DatasetError(f"{path}: lacks M1 or D1, the left camera's matrix and distortion; get it again")
    return np.asarray(K, np.float64), np.ravel(D).astype(np.float64)


def _parse_frame_data(
    content: bytes, where: Path
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """K, D of the left camera and T_world_camera, metres, of one frame_data JSON."""
    try:
        document = json.loads(content)
        calibration = document["camera-calibration"]
        K = np.array(calibration["KL"], np.float64).reshape(3, 3)
        D = np.ravel(np.array(calibration["DL"], np.float64))
        T_camera_world = np.array(document["camera-pose"], np.float64).reshape(4, 4)
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetError(
            f"{where}: not a frame_data file with KL, DL and camera-pose ({error}); get it again"
        ) from error
    T_camera_world[:3, 3] *= MILLIMETRE
    return K, D, invert_transform(check_pose(T_camera_world, str(where)))


def _camera(K: NDArray[np.float64], D: NDArray[np.float64], image: NDArray[np.uint8], where: Path) -> Camera:
    height, width = image.shape[:2]
    bare = pinhole(K, width, height, where)
    return Camera(width, height, bare.K, PLUMB_BOB, D[:5]) if np.any(D) else bare


def _left_depth(content: bytes, where: Path, height: int) -> NDArray[np.float32]:
    """Depth of the left image, metres, from a TIFF of points, its z first in OpenCV's order."""
    points = decode_any(content, where)
    if points.ndim != 3 or points.shape[2] != 3 or points.shape[0] not in (height, 2 * height):
        raise DatasetError(
            f"{where}: the points are {points.shape}; they should be x, y, z of {height} or {2 * height} rows"
        )
    z = points[:height, :, 0].astype(np.float32)
    with np.errstate(invalid="ignore"):
        return np.where(np.isfinite(z) & (z > 0), z * np.float32(MILLIMETRE), np.float32(np.nan))
