"""Writes RGB images as a video file."""

from __future__ import annotations

import sys
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.bags.output import OutputError

# MPEG-4 part 2: the one codec that every OpenCV build writes into all of these.
CODEC = "mp4v"
VIDEO_SUFFIXES = (".mp4", ".avi", ".mkv")
# Of some containers OpenCV only estimates how many frames they hold.
COUNT_TOLERANCE = 0.9


class VideoWriter:
    """A video of images of one size; the first one fixes it. Use as a context manager or call close."""

    def __init__(self, path: Path, fps: float) -> None:
        """path: ends in one of VIDEO_SUFFIXES. fps: frames per second."""
        self._path, self._fps = path, fps
        self._writer: cv2.VideoWriter | None = None
        self._size = (0, 0)
        self._count = 0

    def write(self, image: NDArray[np.uint8]) -> None:
        """Append uint8 [H, W, 3], RGB. Raises OutputError for another size or when the file can't be written."""
        height, width = image.shape[:2]
        if self._writer is None:
            self._size = (width, height)
            self._writer = cv2.VideoWriter(str(self._path), cv2.VideoWriter.fourcc(*CODEC), self._fps, self._size)
            if not self._writer.isOpened():
                raise OutputError(f"{self._path}: OpenCV can't write this video; check the folder and the suffix")
        if (width, height) != self._size:
            raise OutputError(
                f"{self._path}: an image is {width}x{height} but the first was {self._size[0]}x{self._size[1]}; "
                "convert images of one size"
            )
        self._writer.write(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        self._count += 1

    def close(self) -> None:
        """Finish the file. Raises OutputError when it doesn't hold what was written, unless an error is under way."""
        if self._writer is None:
            return
        self._writer.release()
        self._writer = None
        if sys.exc_info()[0] is None and not self._is_whole():
            raise OutputError(f"{self._path}: can't be written; free some disk space")

    def _is_whole(self) -> bool:
        """Whether the file opens and has about as many frames as were written; OpenCV reports no failed write."""
        capture = cv2.VideoCapture(str(self._path))
        count = capture.get(cv2.CAP_PROP_FRAME_COUNT) if capture.isOpened() else 0
        capture.release()
        return bool(count >= COUNT_TOLERANCE * self._count)

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
