"""Hamlyn: rectified stereo laparoscopy, depth by stereo matching (Recasens et al. 2021).

rectifiedNN (copies nest it twice): image01/0000000001.jpg and depth01/0000000001.png (16 bit, millimetres) of the left
camera, image02 and depth02 of the right one, intrinsics.txt (K, 3x3 or 3x4). No poses.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from endo_depth_ros.datasets.file_reading import numbered_files, read_color, read_depth_levels, read_matrix
from endo_depth_ros.datasets.truth_sequence import (
    DatasetError,
    Layout,
    ReadOptions,
    TruthFrame,
    TruthSequence,
    make_truth_frame,
    pinhole,
)

INTRINSICS = "intrinsics.txt"
IMAGE, DEPTH = r"0*(\d+)\.(?:jpg|png)", r"0*(\d+)\.png"
# Not distributed with the frames.
FPS = 30.0
METRES_PER_LEVEL = 0.001


def open_sequence(folder: Path, name: str, options: ReadOptions) -> TruthSequence:
    """The left images; depth where all four files of a frame exist, as the loader of EndoDAC has it.

    Raises DatasetError.
    """
    images, depths = numbered_files(folder / "image01", IMAGE), numbered_files(folder / "depth01", DEPTH)
    if not images:
        raise DatasetError(f"{folder / 'image01'}: there are no images; extract the data set again")
    K = read_matrix(folder / INTRINSICS)
    for other in (folder / "image02", folder / "depth02"):
        if other.is_dir():
            partners = numbered_files(other, IMAGE)
            depths = {number: path for number, path in depths.items() if number in partners}
    first = next(iter(images))

    def read() -> Iterator[TruthFrame]:
        for number, path in images.items():
            image = read_color(path)
            own = pinhole(K, image.shape[1], image.shape[0], folder / INTRINSICS)
            depth_path = depths.get(number)
            depth = None if depth_path is None else read_depth_levels(depth_path, METRES_PER_LEVEL)
            yield make_truth_frame(
                options.stamp_ns(number - first, FPS), options.frame_id, image, options.camera_of(image, own, path),
                depth, None, depth_path or path,
            )  # fmt: skip

    notes = ["depth is stereo matching, not a measurement", f"frame rate assumed: {options.fps or FPS:g} per second"]
    if len(depths.keys() & images.keys()) < len(images):
        notes.append(f"{len(depths.keys() & images.keys())} of {len(images)} frames have a depth")
    return TruthSequence("hamlyn", name, len(images), read, notes=tuple(notes))


LAYOUT = Layout(
    "hamlyn",
    "Hamlyn, rectified",
    (".", "rectified*", "rectified*/rectified*"),
    lambda folder: (folder / "image01").is_dir() and (folder / INTRINSICS).is_file(),
    open_sequence,
    f"rectifiedNN/image01, depth01 and {INTRINSICS}",
)
