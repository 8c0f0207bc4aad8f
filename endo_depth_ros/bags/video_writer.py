"""Writes RGB images as a video file."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import cv2
import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.bags.output import OutputError

# MPEG-4 part 2: the one codec that every OpenCV build writes into all of these.
CODEC = "mp4v"
VIDEO_SUFFIXES = (".mp4", ".avi", ".mkv")


class VideoWriter:
    """A video of images of one size; the first one fixes it. Use as a context manager or call close."""

    def __init__(self, path: Path, fps: float) -> None:
        """path: ends in one of VIDEO_SUFFIXES. fps: frames per second."""
        self._path, self._fps = path, fps
        self._writer: cv2.VideoWriter | None = None
        self._size = (0, 0)

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

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.release()

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
