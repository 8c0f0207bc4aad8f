"""A plain folder of one's own: images/, depth/, camera.yaml, trajectory.tum, as this project writes renderings.

depth/NAME of images/NAME: .npy (metres, NaN or 0 for none), .png (16 bit, millimetres, 0 and 65535 for none) or .tiff
(32-bit float, metres).
depth, trajectory.tum (T_world_camera, one pose an image, in order; its times are the stamps) and stamps are optional.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.bags.camera_yaml import read_camera
from endo_depth_ros.bags.image_folder import CAMERA_FILE, list_images
from endo_depth_ros.bags.source import DEFAULT_FPS
from endo_depth_ros.bags.tum_file import read_tum
from endo_depth_ros.datasets.file_reading import decode_any, read_bytes, read_color, read_depth_levels
from endo_depth_ros.datasets.truth_sequence import (
    DatasetError,
    Layout,
    ReadOptions,
    TruthFrame,
    TruthSequence,
    make_truth_frame,
)
from endo_depth_ros.geometry.camera import CameraError
from endo_depth_ros.geometry.trajectory import Trajectory, TrajectoryError

IMAGES, DEPTH, TRAJECTORY = "images", "depth", "trajectory.tum"
MILLIMETRE = 0.001
SATURATED = np.float32(65534.5 * MILLIMETRE)
DEPTH_SUFFIXES = (".npy", ".png", ".tiff", ".tif")


def open_sequence(folder: Path, name: str, options: ReadOptions) -> TruthSequence:
    """All images of the folder. Raises DatasetError."""
    images = list_images(folder / IMAGES)
    if not images:
        raise DatasetError(f"{folder / IMAGES}: there are no images; put jpg, png, bmp or tif files into it")
    poses = _read_trajectory(folder / TRAJECTORY, len(images))
    try:
        own = read_camera(folder / CAMERA_FILE) if (folder / CAMERA_FILE).is_file() else None
    except CameraError as error:
        raise DatasetError(str(error)) from error
    depths = {path.stem: path for path in _list(folder / DEPTH) if path.suffix.lower() in DEPTH_SUFFIXES}

    def read() -> Iterator[TruthFrame]:
        for index, path in enumerate(images):
            image = read_color(path)
            stamp_ns = options.stamp_ns(index, DEFAULT_FPS)
            if poses is not None and options.fps is None:
                stamp_ns = int(poses.stamps_ns[index])
            depth_path = depths.get(path.stem)
            depth = None if depth_path is None else _read_depth(depth_path)
            yield make_truth_frame(
                stamp_ns, options.frame_id, image, options.camera_of(image, own, path), depth,
                None if poses is None else poses.T_world_camera[index], depth_path or path,
            )  # fmt: skip

    known = len(depths.keys() & {path.stem for path in images})
    notes = (f"{known} of {len(images)} frames have a depth",) if 0 < known < len(images) else ()
    return TruthSequence("folder", name, len(images), read, notes=notes)


LAYOUT = Layout(
    "folder",
    "images, depth and poses of one's own",
    (".", "*"),
    lambda folder: (folder / IMAGES).is_dir() and ((folder / DEPTH).is_dir() or (folder / TRAJECTORY).is_file()),
    open_sequence,
    f"{IMAGES}/, and {DEPTH}/ or {TRAJECTORY}",
)


def _list(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _read_trajectory(path: Path, count: int) -> Trajectory | None:
    if not path.is_file():
        return None
    try:
        poses = read_tum(path)
    except TrajectoryError as error:
        raise DatasetError(str(error)) from error
    if len(poses.stamps_ns) != count:
        raise DatasetError(
            f"{path}: has {len(poses.stamps_ns)} poses but there are {count} images; give one pose an image"
        )
    return poses


def _read_depth(path: Path) -> NDArray[np.float32]:
    """Depth in metres, float32 [H, W], NaN for none."""
    if path.suffix.lower() == ".png":
        depth = read_depth_levels(path, MILLIMETRE)
        with np.errstate(invalid="ignore"):
            return np.where(depth < SATURATED, depth, np.float32(np.nan))
    if path.suffix.lower() == ".npy":
        try:
            depth = np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise DatasetError(f"{path}: not a readable NumPy file ({error}); write it again") from error
    else:
        depth = decode_any(read_bytes(path), path)
    if depth.ndim != 2 or depth.dtype.kind != "f":
        raise DatasetError(f"{path}: depth should be [H, W] of floats in metres but is {depth.dtype} {depth.shape}")
    depth = depth.astype(np.float32)
    with np.errstate(invalid="ignore"):
        return np.where(np.isfinite(depth) & (depth > 0), depth, np.float32(np.nan))
