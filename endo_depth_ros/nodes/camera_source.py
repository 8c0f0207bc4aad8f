"""The camera of each image: CameraInfo by stamp, checked once per calibration."""

from __future__ import annotations

from typing import Any

from endo_depth_ros.geometry.assumed_camera import assumed_camera_from_info
from endo_depth_ros.geometry.camera import Camera, CameraError, camera_from_info, pinhole_from_hfov
from endo_depth_ros.geometry.latest_camera import LatestCamera
from endo_depth_ros.geometry.recent_infos import RecentInfos


class MissingCameraError(CameraError):
    """No CameraInfo has arrived and no field of view was given to assume one."""


class CameraSource:
    """Keeps the last calibrations and says which camera an image was taken with."""

    def __init__(self, hfov_deg: float) -> None:
        """hfov_deg: field of view to assume without a calibration, degrees; 0 assumes none."""
        self._hfov_deg = hfov_deg
        self._infos = RecentInfos()
        self.frame_id = ""
        self._calibrated = LatestCamera(camera_from_info)

    def update(self, info: Any) -> None:
        """Remember a CameraInfo message; may be called from another thread than `camera_of`."""
        self._infos.add(info)
        self.frame_id = str(info.header.frame_id)

    def camera_of(self, stamp_ns: int, width: int, height: int) -> Camera:
        """The camera of an image: the CameraInfo of its stamp, else the last one that arrived, else the assumed one.

        Raises MissingCameraError when there is neither, CameraError when the calibration can't be used.
        """
        info = self._infos.get(stamp_ns)
        if info is None or is_uncalibrated(info):
            return self._assumed(info, width, height)
        return self._calibrated.of(info, width, height)

    def _assumed(self, info: Any | None, width: int, height: int) -> Camera:
        if self._hfov_deg > 0:
            return pinhole_from_hfov(width, height, self._hfov_deg)
        camera = None if info is None else assumed_camera_from_info(info, width, height)
        if camera is not None:
            return camera
        what = "no CameraInfo yet" if info is None else "K is zero, which means uncalibrated"
        raise MissingCameraError(f"{what}; publish a calibration beside the images, or set hfov_deg to assume a lens")


def is_uncalibrated(info: Any) -> bool:
    """Whether the message says so itself: 'if the camera is uncalibrated, the matrices should be zeroed'."""
    return not any(info.k)
