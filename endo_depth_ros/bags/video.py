"""A video file as a source of frames."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from endo_depth_ros.bags.source import (
    DEFAULT_FRAME_ID,
    SourceError,
    SourceFrame,
    check_readable,
    make_broken_frame,
    make_frame,
)
from endo_depth_ros.geometry.camera import Camera

# These containers list every frame; of others OpenCV estimates the number from the duration.
EXACT_COUNT_SUFFIXES = (".mp4", ".mov", ".m4v", ".avi")
ESTIMATE_TOLERANCE = 0.9


class VideoSource:
    """Frames of a video file by OpenCV, stamped from zero by the file's own times, or by `fps` when given."""

    def __init__(
        self, path: Path, camera: Camera | None = None, fps: float | None = None, frame_id: str = DEFAULT_FRAME_ID
    ) -> None:
        """Open the file once to see that it holds a video. Raises SourceError."""
        self.name = str(path)
        self.warning = ""
        self._path, self._camera, self._frame_id, self._given_fps = path, camera, frame_id, fps
        capture = _open_capture(path)
        self.fps: float | None = fps or _file_fps(path, capture)
        count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        self.frame_count: int | None = count if count > 0 else None
        if not capture.grab():
            raise SourceError(f"{path}: no frame can be decoded; the file is empty or its codec is unknown to OpenCV")
        capture.release()

    def __iter__(self) -> Iterator[SourceFrame]:
        """Iterate from the first frame; frames that the file promises but does not hold are answered with an error."""
        capture = _open_capture(self._path)
        index, previous_ns = 0, -1
        while True:
            read, image = capture.read()
            if not read:
                break
            previous_ns = self._stamp_ns(capture, index, previous_ns)
            rgb = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB, dst=image), np.uint8)
            yield make_frame(previous_ns, self._frame_id, rgb, self._camera)
            index += 1
        capture.release()
        promised = self.frame_count or 0
        exact = self._path.suffix.lower() in EXACT_COUNT_SUFFIXES
        if exact or index < ESTIMATE_TOLERANCE * promised:
            yield from self._missing_frames(index, promised, previous_ns)

    def _stamp_ns(self, capture: cv2.VideoCapture, index: int, previous_ns: int) -> int:
        period_ns = 1e9 / (self.fps or math.inf)
        if self._given_fps:
            return round(index * period_ns)
        stamp_ns = round(capture.get(cv2.CAP_PROP_POS_MSEC) * 1e6)
        if index == 0 or stamp_ns > previous_ns:
            return max(stamp_ns, 0)
        # Some containers carry no times; each frame must still be later than the one before.
        return previous_ns + round(period_ns)

    def _missing_frames(self, first: int, count: int, previous_ns: int) -> Iterator[SourceFrame]:
        period_ns = round(1e9 / (self.fps or math.inf))
        for index in range(first, count):
            stamp_ns = previous_ns + (index - first + 1) * period_ns
            error = f"frame {index} of {count} can't be decoded; the video file is truncated or corrupt, copy it again"
            yield make_broken_frame(stamp_ns, self._frame_id, error)


def _open_capture(path: Path) -> cv2.VideoCapture:
    check_readable(path, "file")
    if not path.is_file():
        raise SourceError(f"{path}: not a file; give a video file")
    capture = cv2.VideoCapture(str(path))
    if not capture.isOpened():
        raise SourceError(f"{path}: not a video that OpenCV can open; it is corrupt or of an unknown format")
    return capture


def _file_fps(path: Path, capture: cv2.VideoCapture) -> float:
    fps = float(capture.get(cv2.CAP_PROP_FPS))
    if not math.isfinite(fps) or fps <= 0:
        raise SourceError(f"{path}: the file names no frame rate; give --fps")
    return fps
