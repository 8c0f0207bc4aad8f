"""What every data set gives: sequences of frames with true depth and pose, read when they are walked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.bags.source import DEFAULT_FRAME_ID, SourceError
from endo_depth_ros.contracts import Frame
from endo_depth_ros.geometry.camera import Camera, CameraError, check_intrinsics, pinhole_from_hfov
from endo_depth_ros.stamps import FIRST_STAMP_NS, NANOSECONDS

# Rotations in text files are rounded; a transposed or scaled matrix is farther off.
ROTATION_TOLERANCE = 1e-2


class DatasetError(SourceError):
    """A data set can't be read; the text says which file, why and what to do."""


@dataclass(frozen=True, eq=False)
class TruthFrame:
    """One frame and what is known about it.

    depth: z of each pixel of frame.image, metres, float32 [H, W], NaN where it is not known; None without any. Relative
    depth (TruthSequence.relative_depth) has no unit. T_world_camera: float64 [4, 4], optical frame, metres, or None.
    """

    frame: Frame
    depth: NDArray[np.float32] | None = None
    T_world_camera: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class TruthSequence:
    """Frames of one recording, in order; may be walked again.

    dataset: its layout's name. frame_count: frames that a walk gives. relative_depth: depth has no unit.
    notes: what is known to be wrong or missing, a sentence each.
    """

    dataset: str
    name: str
    frame_count: int
    read: Callable[[], Iterator[TruthFrame]]
    relative_depth: bool = False
    notes: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[TruthFrame]:
        """Walk from the first frame. Raises DatasetError where a file can't be read."""
        return self.read()


@dataclass(frozen=True)
class ReadOptions:
    """What a user may replace: the calibration, an assumed field of view, the frame rate, the frame's name."""

    camera: Camera | None = None
    hfov_deg: float | None = None
    fps: float | None = None
    frame_id: str = DEFAULT_FRAME_ID

    def camera_of(self, image: NDArray[np.uint8], own: Camera | None, where: Path) -> Camera:
        """The calibration given, else the data set's own, else the assumed lens; of exactly this image.

        where: the image or calibration, for the sentence. Raises DatasetError without one and for another size.
        """
        height, width = image.shape[:2]
        camera = self.camera or own
        if camera is None and self.hfov_deg is not None:
            camera = pinhole_from_hfov(width, height, self.hfov_deg)
        if camera is None:
            raise DatasetError(f"{where}: no calibration came with it; give --camera camera.yaml, or --hfov DEG")
        if (camera.width, camera.height) != (width, height):
            raise DatasetError(
                f"{where}: the image is {width}x{height} but the calibration is of {camera.width}x{camera.height}; "
                "give the one of this size"
            )
        return camera

    def stamp_ns(self, index: int, own_fps: float) -> int:
        """Stamp of the index-th frame, the first at one second."""
        return FIRST_STAMP_NS + round(index * NANOSECONDS / (self.fps or own_fps))


@dataclass(frozen=True)
class Layout:
    """How a data set lies on disk.

    folders: globs below any path a user may give, '.' for the path itself, at which sequences may lie.
    is_sequence: whether one really does. name_of: a sequence's name from its folder. open: its frames.
    expects: what a folder must hold, for the sentence that says it does not.
    """

    name: str
    title: str
    folders: tuple[str, ...]
    is_sequence: Callable[[Path], bool]
    open: Callable[[Path, str, ReadOptions], TruthSequence]
    expects: str
    name_of: Callable[[Path], str] = field(default=lambda folder: folder.name)


def make_truth_frame(
    stamp_ns: int,
    frame_id: str,
    image: NDArray[np.uint8],
    camera: Camera,
    depth: NDArray[np.float32] | None,
    T_world_camera: NDArray[np.float64] | None,
    where: Path,
) -> TruthFrame:
    """A frame whose depth is of its size. Raises DatasetError with `where`, the depth's file, otherwise."""
    if depth is not None and depth.shape != image.shape[:2]:
        raise DatasetError(
            f"{where}: the depth is {depth.shape[1]}x{depth.shape[0]} but its image {image.shape[1]}x{image.shape[0]}; "
            "get the data set again"
        )
    return TruthFrame(Frame(stamp_ns, frame_id, image, camera), depth, T_world_camera)


def pinhole(K: NDArray[np.float64], width: int, height: int, where: Path) -> Camera:
    """The calibrated pinhole of a file's K [3, 3]. Raises DatasetError for an impossible one."""
    try:
        check_intrinsics("K", K, width, height)
    except CameraError as error:
        raise DatasetError(f"{where}: {error}") from error
    return Camera(width, height, K)


def check_pose(T: NDArray[np.float64], where: str) -> NDArray[np.float64]:
    """The pose [4, 4] if it is one, its rotation exact: files have as few as six digits, C3VD's for example.

    Raises DatasetError for NaN, a transposed or a mirrored matrix.
    """
    R = T[:3, :3]
    if not np.isfinite(T).all():
        raise DatasetError(f"{where}: the pose contains NaN or infinity; get the data set again")
    if not np.allclose(T[3], [0, 0, 0, 1], atol=1e-6):
        raise DatasetError(f"{where}: the pose's last row is not 0 0 0 1, as if it were transposed; check the layout")
    if not np.allclose(R @ R.T, np.eye(3), atol=ROTATION_TOLERANCE) or np.linalg.det(R) < 0:
        raise DatasetError(f"{where}: the pose holds no rotation; check the layout")
    U, _, Vt = np.linalg.svd(R)
    exact = T.copy()
    exact[:3, :3] = U @ Vt
    return exact
