"""A V4L2 camera as an endless source of frames."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator

import cv2
import numpy as np

from endo_depth_ros.bags.source import DEFAULT_FRAME_ID, SourceError, SourceFrame, make_broken_frame, make_frame
from endo_depth_ros.geometry.camera import Camera

RETRY_S = 1.0


class DeviceSource:
    """Frames of a camera as they come, stamped since the start; a camera that is unplugged is waited for."""

    def __init__(
        self,
        index: int,
        camera: Camera | None = None,
        frame_id: str = DEFAULT_FRAME_ID,
        size: tuple[int, int] = (0, 0),
        fps: float = 0.0,
        open_capture: Callable[[int, int], cv2.VideoCapture] = cv2.VideoCapture,
        sleep_s: Callable[[float], None] = time.sleep,
    ) -> None:
        """index: N of /dev/videoN. size, fps: what to ask the camera for, 0 where it may choose. Raises SourceError."""
        self.name = f"/dev/video{index}"
        self.warning = ""
        self.frame_count: int | None = None
        self.fps: float | None = fps or None
        self._index, self._camera, self._frame_id, self._size = index, camera, frame_id, size
        self._open_capture, self._sleep_s = open_capture, sleep_s
        self._capture = self._open()
        if not self._capture.isOpened():
            raise SourceError(f"{self.name}: can't be opened; check that it exists, is free and that you may read it")

    def __iter__(self) -> Iterator[SourceFrame]:
        """Iterate for ever; a frame that could not be read is answered, then the camera is opened again."""
        start_ns = time.monotonic_ns()
        while True:
            read, image = self._capture.read()
            stamp_ns = time.monotonic_ns() - start_ns
            if read:
                rgb = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB, dst=image), np.uint8)
                yield make_frame(stamp_ns, self._frame_id, rgb, self._camera)
                continue
            yield make_broken_frame(stamp_ns, self._frame_id, f"{self.name}: no image comes; check its cable and power")
            self._capture.release()
            self._sleep_s(RETRY_S)
            self._capture = self._open()

    def _open(self) -> cv2.VideoCapture:
        capture = self._open_capture(self._index, cv2.CAP_V4L2)
        wishes = zip((cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT), self._size, strict=True)
        for key, value in (*wishes, (cv2.CAP_PROP_FPS, self.fps or 0)):
            if value:
                capture.set(key, value)
        # One frame of buffer, so that a slow reader gets the newest image.
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        return capture


def device_index(source: str) -> int | None:
    """N of '/dev/videoN' or 'N', or None when the text names no camera."""
    match = re.fullmatch(r"(?:/dev/video)?(\d{1,3})", source)
    return int(match[1]) if match else None
