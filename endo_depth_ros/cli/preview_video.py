"""A video for people: colour beside depth, with what is known about both."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.bags.video_writer import VideoWriter
from endo_depth_ros.contracts import DepthEstimate, ScaleState, Verdict
from endo_depth_ros.imaging.color_range import ColorRange
from endo_depth_ros.imaging.colormap import colorize_depth

ZOOM = 2
BAR_HEIGHT_PX = 24


class PreviewVideo:
    """Written frame by frame; the first frame sets the size."""

    def __init__(self, path: Path, fps: float) -> None:
        """fps: frames per second."""
        self._range = ColorRange()
        self._writer = VideoWriter(path, fps)
        self._size: tuple[int, int] | None = None

    def write(self, estimate: DepthEstimate) -> None:
        """Add one frame."""
        picture = self._draw(estimate)
        if self._size is None:
            self._size = (picture.shape[1], picture.shape[0])
        if picture.shape[1::-1] != self._size:
            picture = np.asarray(cv2.resize(picture, self._size), np.uint8)
        self._writer.write(picture)

    def close(self) -> None:
        """Finish the file."""
        self._writer.close()

    def _draw(self, estimate: DepthEstimate) -> NDArray[np.uint8]:
        near, far = self._range.update(estimate.depth)
        both = np.hstack([estimate.frame.image, colorize_depth(estimate.depth, near, far)])
        both = both.repeat(ZOOM, axis=0).repeat(ZOOM, axis=1)
        bar = np.full((BAR_HEIGHT_PX, both.shape[1], 3), 30, np.uint8)
        good = estimate.status.verdict is Verdict.OK
        color = (220, 220, 220) if good else (255, 90, 90)
        cv2.putText(bar, caption(estimate, near, far), (6, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.42, color, 1, cv2.LINE_AA)
        return np.vstack([both, bar])


def caption(estimate: DepthEstimate, near: float, far: float) -> str:
    """Verdict, coverage and the meaning of the colours in one line."""
    status = estimate.status
    if status.scale.state is ScaleState.RELATIVE:
        colors = f"red {near:.3g} to blue {far:.3g}, scale unknown (not metres)"
    else:
        colors = f"red {1000 * near:.0f} mm to blue {1000 * far:.0f} mm, {status.scale.state.value}"
    verdict = status.verdict.value if not status.reason else f"{status.verdict.value}: {status.reason}"
    return f"{verdict}  coverage {status.coverage:.0%}  {colors}"
