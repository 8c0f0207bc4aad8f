"""What every source of frames gives: frames in order, each with its image or the reason why there is none."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.geometry.camera import Camera, pinhole_from_hfov

DEFAULT_FRAME_ID = "endoscope_optical_frame"
DEFAULT_FPS = 30.0
NO_CALIBRATION = "no calibration came with the image; give --camera camera.yaml, or --hfov DEG to assume one"


class SourceError(ValueError):
    """The source can't be read at all; the text says which, why and what to do."""


def check_readable(path: Path, kind: str) -> None:
    """Raise SourceError when there is no such `kind` of path, or its permissions forbid to read it."""
    try:
        rights = os.R_OK | os.X_OK if stat.S_ISDIR(path.stat().st_mode) else os.R_OK
    except PermissionError as error:
        folder = path.absolute().parent
        raise SourceError(f"{path}: no permission to look for it; get it with: sudo chmod a+x {folder}") from error
    except OSError as error:
        raise SourceError(f"{path}: there is no such {kind}; check the path") from error
    if not os.access(path, rights):
        raise SourceError(f"{path}: no permission to read it; get it with: sudo chmod a+rX {path}")


@dataclass(frozen=True)
class SourceFrame:
    """One frame of a source, answered even when it can't be read.

    stamp_ns: from the header of a bag's image, else since the start of the video. image: uint8 [H, W, 3], RGB, or None
    when `error` says why. camera: of exactly this image, or None when `camera_error` says why.
    """

    stamp_ns: int
    frame_id: str
    image: NDArray[np.uint8] | None
    camera: Camera | None = None
    error: str = ""
    camera_error: str = ""


class FrameSource(Protocol):
    """Frames in order; may be iterated again from the start."""

    @property
    def name(self) -> str:
        """The file or folder, for messages."""

    @property
    def frame_count(self) -> int | None:
        """Frames that an iteration gives, for a progress bar, or None where nobody knows."""

    @property
    def fps(self) -> float | None:
        """Frames per second, or None where the stamps alone tell."""

    @property
    def warning(self) -> str:
        """What the user should know about the source as a whole, or ''."""

    def __iter__(self) -> Iterator[SourceFrame]:
        """Iterate from the first frame. Raises SourceError when the source goes away."""


def make_frame(stamp_ns: int, frame_id: str, image: NDArray[np.uint8], camera: Camera | None) -> SourceFrame:
    """The frame of a readable image with the given calibration, if that is of its size."""
    if camera is None:
        return SourceFrame(stamp_ns, frame_id, image, camera_error=NO_CALIBRATION)
    height, width = image.shape[:2]
    if (camera.width, camera.height) != (width, height):
        complaint = (
            f"the calibration is of {camera.width}x{camera.height} images but the image is {width}x{height}; "
            "calibrate at this size"
        )
        return SourceFrame(stamp_ns, frame_id, image, camera_error=complaint)
    return SourceFrame(stamp_ns, frame_id, image, camera)


def make_broken_frame(stamp_ns: int, frame_id: str, error: str) -> SourceFrame:
    """The frame that answers for an image which can't be read, and why."""
    return SourceFrame(stamp_ns, frame_id, None, error=error, camera_error="there is no image")


def camera_of(frame: SourceFrame, image: NDArray[np.uint8], hfov_deg: float | None) -> Camera | None:
    """The frame's calibration, else the pinhole of the field of view that was given, else what its source assumed."""
    if hfov_deg is None or (frame.camera is not None and frame.camera.calibrated):
        return frame.camera
    height, width = image.shape[:2]
    return pinhole_from_hfov(width, height, hfov_deg)
