"""SimCol3D: a camera rendered in colons (Rau et al. 2023).

SyntheticColon_X: cam.txt (K, nine numbers), SavedPosition_S1.txt (cm) and SavedRotationQuaternion_S1.txt (x y z w),
line i for frame i in Unity's axes, Frames_S1: FrameBuffer_0000.png, Depth_0000.png (16 bit, 255 · 256 levels: 20 cm).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from endo_depth_ros.datasets.file_reading import (
    numbered_files,
    read_color,
    read_depth_levels,
    read_matrix,
    read_numbers,
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

IMAGE, DEPTH = r"FrameBuffer_0*(\d+)\.png", r"Depth_0*(\d+)\.png"
CENTIMETRE = 0.01
METRES_PER_LEVEL = 0.2 / (255 * 256)
# Not published.
FPS = 20.0


def open_sequence(folder: Path, name: str, options: ReadOptions) -> TruthSequence:
    """All frames of one trajectory. Raises DatasetError."""
    images, depths = numbered_files(folder, IMAGE), numbered_files(folder, DEPTH)
    which = folder.name.removeprefix("Frames_")
    positions_path = folder.parent / f"SavedPosition_{which}.txt"
    positions = read_numbers(positions_path, 3) * CENTIMETRE
    rotations = read_numbers(folder.parent / f"SavedRotationQuaternion_{which}.txt", 4)
    beyond = [number for number in images if number >= min(len(positions), len(rotations))]
    if beyond:
        raise DatasetError(
            f"{positions_path}: has {len(positions)} positions and {len(rotations)} rotations beside it, "
            f"none for frame {beyond[0]}; get the whole files again"
        )
    if not (rotations**2).sum(axis=1).all():
        raise DatasetError(f"{positions_path}: a rotation beside it is zero; get the files again")
    K = read_matrix(folder.parent / "cam.txt")
    first = next(iter(images))

    def read() -> Iterator[TruthFrame]:
        for number, path in images.items():
            image = read_color(path)
            own = pinhole(K, image.shape[1], image.shape[0], folder.parent / "cam.txt")
            depth_path = depths.get(number)
            depth = None if depth_path is None else read_depth_levels(depth_path, METRES_PER_LEVEL)
            yield make_truth_frame(
                options.stamp_ns(number - first, FPS), options.frame_id, image, options.camera_of(image, own, path),
                depth, pose_from_unity(positions[number], rotations[number]), depth_path or path,
            )  # fmt: skip

    notes = [f"frame rate assumed: {options.fps or FPS:g} per second"]
    if len(depths.keys() & images.keys()) < len(images):
        notes.append(f"{len(depths.keys() & images.keys())} of {len(images)} frames have a depth")
    return TruthSequence("simcol3d", name, len(images), read, notes=tuple(notes))


LAYOUT = Layout(
    "simcol3d",
    "SimCol3D",
    (".", "Frames_*", "SyntheticColon_*/Frames_*", "*/SyntheticColon_*/Frames_*"),
    lambda folder: folder.name.startswith("Frames_") and any(folder.glob("FrameBuffer_*.png")),
    open_sequence,
    "SyntheticColon_X/Frames_S1/FrameBuffer_0000.png, and SavedPosition_S1.txt beside the folder",
    lambda folder: f"{folder.parent.name}/{folder.name}",
)
