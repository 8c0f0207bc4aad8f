"""SERV-CT: 16 stereo pairs of porcine torsos with depth from CT and from a textured scan (Edwards et al. 2022).

Experiment_N: Left_rectified/001.png, Ground_truth_CT (both experiments) and Ground_truth_RGB (the second), each with
DepthL/001.png (16 bit, 256 levels a millimetre) and OcclusionL/001.png (colours where something is occluded),
Rectified_calibration/001.json (P1). Stills: no video, no poses.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.datasets.file_reading import numbered_files, read_bytes, read_color, read_depth_levels
from endo_depth_ros.datasets.truth_sequence import (
    DatasetError,
    Layout,
    ReadOptions,
    TruthFrame,
    TruthSequence,
    make_truth_frame,
    pinhole,
)

FOLDERS = (".", "Experiment_*")
PNG = r"0*(\d+)\.png"
METRES_PER_LEVEL = 0.001 / 256
FPS = 1.0
# RGB: no reference, outside the right image, hidden from the right camera, hidden from the left camera.
OCCLUDED = ((0, 0, 255), (255, 255, 0), (255, 0, 0), (0, 255, 0))


def make_layout(name: str, title: str, reference: str) -> Layout:
    """The layout with one of the references as truth: Ground_truth_CT or Ground_truth_RGB."""

    def open_sequence(folder: Path, sequence: str, options: ReadOptions) -> TruthSequence:
        images = numbered_files(folder / "Left_rectified", PNG)
        depths = numbered_files(folder / reference / "DepthL", PNG)
        missing = sorted(images.keys() - depths.keys())
        if not images or missing:
            what = f"{reference}/DepthL/{missing[0]:03d}.png" if missing else "Left_rectified/001.png"
            raise DatasetError(f"{folder}: lacks {what}; extract the data set again")

        def read() -> Iterator[TruthFrame]:
            for index, (number, path) in enumerate(images.items()):
                image = read_color(path)
                K = _read_projection(folder / "Rectified_calibration" / f"{path.stem}.json")
                own = pinhole(K, image.shape[1], image.shape[0], folder / "Rectified_calibration")
                depth = read_depth_levels(depths[number], METRES_PER_LEVEL)
                depth = _without_occlusions(depth, folder / reference / "OcclusionL" / path.name)
                yield make_truth_frame(
                    options.stamp_ns(index, FPS), options.frame_id, image, options.camera_of(image, own, path),
                    depth, None, depths[number],
                )  # fmt: skip

        return TruthSequence(name, sequence, len(images), read, notes=("these are stills, not a video",))

    return Layout(
        name,
        title,
        FOLDERS,
        lambda folder: (folder / "Left_rectified").is_dir() and (folder / reference).is_dir(),
        open_sequence,
        f"Experiment_N/Left_rectified and {reference}",
    )


CT = make_layout("servct", "SERV-CT, CT reference", "Ground_truth_CT")
SCAN = make_layout("servct_rgb", "SERV-CT, textured scan as reference", "Ground_truth_RGB")


def _read_projection(path: Path) -> NDArray[np.float64]:
    """K [3, 3], the left part of P1."""
    try:
        numbers = np.array(json.loads(read_bytes(path))["P1"]["data"], np.float64)
        return numbers.reshape(3, 4)[:, :3].copy()
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"{path}: not a calibration with the 12 numbers of P1 ({error}); get it again") from error


def _without_occlusions(depth: NDArray[np.float32], path: Path) -> NDArray[np.float32]:
    """Depth where both cameras see the reference. Raises DatasetError for a missing mask or one of another size."""
    mask = read_color(path)
    if mask.shape[:2] != depth.shape:
        raise DatasetError(f"{path}: the mask is not of the size of its depth; extract the data set again")
    occluded = np.zeros(depth.shape, bool)
    for color in OCCLUDED:
        occluded |= (mask == color).all(axis=-1)
    return np.where(occluded, np.float32(np.nan), depth)
