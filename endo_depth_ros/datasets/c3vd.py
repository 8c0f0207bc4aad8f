"""C3VD: a colonoscope in silicone colons, depth by registering the mould (Bobrow et al. 2023).

SEQUENCE: 0000_color.png (copies leave out the zeros), 0000_depth.tiff (16 bit, 65535 levels are 100 mm; 0 and 65535
mean none), pose.txt: line i is frame i's camera-to-world matrix, 16 numbers column by column, millimetres, OpenCV's
axes. The lens is published as the polynomial of Scaramuzza et al. 2006; here it is an equidistant model.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.datasets.file_reading import numbered_files, read_color, read_depth_levels, read_numbers
from endo_depth_ros.datasets.truth_sequence import (
    DatasetError,
    Layout,
    ReadOptions,
    TruthFrame,
    TruthSequence,
    check_pose,
    make_truth_frame,
)
from endo_depth_ros.geometry.camera import EQUIDISTANT, Camera

POSES = "pose.txt"
COLOR, DEPTH = r"0*(\d+)_color\.png", r"0*(\d+)_depth\.tiff?"
MILLIMETRE = 0.001
METRES_PER_LEVEL = 0.1 / 65535
FARTHEST = np.float32(0.1 - 0.5 * METRES_PER_LEVEL)
# Not distributed with the frames.
FPS = 30.0
# Published calibration: ray (x, y, a0 + a2 r² + a3 r³ + a4 r⁴) of A⁻¹ (pixel - centre), A = [[c, d], [e, 1]].
WIDTH, HEIGHT = 1350, 1080
CENTRE = (678.544839263292, 542.975887548343)
A0, A2, A3, A4 = 769.243600037458, -0.000812770624150226, 6.25674244578925e-07, -1.19662182144280e-09
STRETCH = np.array([[0.99998688224999, 0.00288273829525059], [-0.00296316513429569, 1.0]])
# The corners of the image are black: no ray of the fit lies beyond.
MAX_RADIUS = 780.0


def open_sequence(folder: Path, name: str, options: ReadOptions) -> TruthSequence:
    """All frames of one video. Raises DatasetError."""
    images, depths = numbered_files(folder, COLOR), numbered_files(folder, DEPTH)
    rows = read_numbers(folder / POSES, 16)
    beyond = [number for number in images if number >= len(rows)]
    if beyond:
        raise DatasetError(
            f"{folder / POSES}: has {len(rows)} poses, none for frame {beyond[0]}; get the whole file again"
        )
    own, T_lens_camera = c3vd_lens() if options.camera is None else (None, np.eye(4))
    first = next(iter(images))

    def read() -> Iterator[TruthFrame]:
        for number, path in images.items():
            image = read_color(path)
            T_world_lens = check_pose(rows[number].reshape(4, 4).T, f"{folder / POSES}, line {number + 1}").copy()
            T_world_lens[:3, 3] *= MILLIMETRE
            depth_path = depths.get(number)
            depth = None if depth_path is None else _read_depth(depth_path)
            yield make_truth_frame(
                options.stamp_ns(number - first, FPS), options.frame_id, image, options.camera_of(image, own, path),
                depth, T_world_lens @ T_lens_camera, depth_path or path,
            )  # fmt: skip

    notes = [f"frame rate assumed: {options.fps or FPS:g} per second"]
    if len(depths.keys() & images.keys()) < len(images):
        notes.append(f"{len(depths.keys() & images.keys())} of {len(images)} frames have a depth")
    return TruthSequence("c3vd", name, len(images), read, notes=tuple(notes))


LAYOUT = Layout(
    "c3vd",
    "C3VD",
    (".", "*", "*/*"),
    lambda folder: (folder / POSES).is_file() and any(folder.glob("*_color.png")),
    open_sequence,
    f"a folder with {POSES}, 0000_color.png and 0000_depth.tiff",
)


@lru_cache(maxsize=1)
def c3vd_lens() -> tuple[Camera, NDArray[np.float64]]:
    """The published lens as an equidistant camera, and T_lens_camera [4, 4], a turn about the optical axis.

    STRETCH is split into a scaling of the pixels and that turn, because K has no place for it; what skew is left moves
    no pixel by a tenth. The polynomial in the angle is fitted to the published one in the radius: within 0.1 pixels in
    the mean, half a pixel at the rim.
    """
    bottom = STRETCH[1] / np.linalg.norm(STRETCH[1])
    turn = np.array([[bottom[1], -bottom[0]], bottom])
    scaling = STRETCH @ turn.T
    radius = np.linspace(0, MAX_RADIUS, 2000)[1:]
    angle = np.arctan2(radius, A0 + A2 * radius**2 + A3 * radius**3 + A4 * radius**4)
    powers = np.stack([angle, angle**3, angle**5, angle**7, angle**9], axis=1)
    focal, *rest = np.linalg.lstsq(powers, radius, rcond=None)[0]
    K = np.array([[focal * scaling[0, 0], 0, CENTRE[0]], [0, focal * scaling[1, 1], CENTRE[1]], [0, 0, 1]])
    T_lens_camera = np.eye(4)
    T_lens_camera[:2, :2] = turn.T
    return Camera(WIDTH, HEIGHT, K, EQUIDISTANT, np.array(rest) / focal), T_lens_camera


def _read_depth(path: Path) -> NDArray[np.float32]:
    depth = read_depth_levels(path, METRES_PER_LEVEL)
    with np.errstate(invalid="ignore"):
        return np.where(depth < FARTHEST, depth, np.float32(np.nan))
