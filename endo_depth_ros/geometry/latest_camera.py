"""Cameras of a stream of CameraInfo, made anew only where the calibration changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from endo_depth_ros.geometry.camera import Camera


class LatestCamera:
    """Remembers the last calibration and its camera."""

    def __init__(self, make: Callable[[Any, int, int], Camera]) -> None:
        """make: camera_from_info or one that takes the same."""
        self._make = make
        self._latest: tuple[tuple[Any, ...], Camera] | None = None

    def of(self, info: Any, width: int, height: int) -> Camera:
        """The camera of a width × height image whose CameraInfo is `info`. Raises CameraError."""
        key = (width, height, *calibration_key(info))
        # Read once: another thread may ask for another's meanwhile.
        latest = self._latest
        if latest is None or latest[0] != key:
            latest = self._latest = key, self._make(info, width, height)
        return latest[1]


def calibration_key(info: Any) -> tuple[Any, ...]:
    """What camera_from_info reads of a CameraInfo, hashable."""
    roi = info.roi
    window = (roi.x_offset, roi.y_offset, roi.width, roi.height, info.binning_x, info.binning_y)
    return (info.width, info.height, info.distortion_model, *map(tuple, (info.d, info.k, info.r, info.p)), window)
