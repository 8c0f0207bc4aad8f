"""What a CameraInfo, or a calibration file, says about the camera of a raw image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.geometry.camera import PLUMB_BOB, Camera


@dataclass(frozen=True, eq=False)
class InfoFields:
    """The fields of sensor_msgs/CameraInfo that a camera fills: float64 d [n], k [3, 3], r [3, 3], p [3, 4]."""

    distortion_model: str
    d: NDArray[np.float64]
    k: NDArray[np.float64]
    r: NDArray[np.float64]
    p: NDArray[np.float64]


def info_fields(camera: Camera) -> InfoFields:
    """The fields that camera_from_info and, of an assumed lens, assumed_camera_from_info turn back into the camera.

    Of an uncalibrated camera k is zero, as the message asks, and p is the assumption. A pinhole is a plumb_bob without
    distortion, which every reader knows.
    """
    return InfoFields(
        distortion_model=camera.distortion_model or PLUMB_BOB,
        d=camera.D if camera.D.size else np.zeros(5),
        k=camera.K if camera.calibrated else np.zeros((3, 3)),
        r=camera.R,
        p=projection_matrix(camera),
    )


def projection_matrix(camera: Camera) -> NDArray[np.float64]:
    """P as sensor_msgs/CameraInfo has it, [3, 4]: the camera's own, K of an undistorted camera, else zero."""
    left = camera.P if camera.P is not None else np.zeros((3, 3)) if camera.distorted else camera.K
    return np.column_stack([left, np.zeros(3)])
