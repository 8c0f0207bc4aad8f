"""How a CameraInfo tells an assumed focal length from a calibrated one: K is zero, P is the assumption."""

from __future__ import annotations

from typing import Any

import numpy as np

from endo_depth_ros.geometry.camera import Camera, CameraError, check_intrinsics


def assumed_camera_from_info(info: Any, image_width: int, image_height: int) -> Camera | None:
    """The uncalibrated pinhole that `info` assumes for an image_width × image_height image, or None.

    sensor_msgs/CameraInfo takes a zero K for uncalibrated; P, which nobody then reads, carries the assumption.
    `info` is any object with CameraInfo's fields. Raises CameraError for an impossible assumption.
    """
    P = np.array(info.p, np.float64).reshape(3, 4)[:, :3].copy()
    has_assumption = P[0, 0] != 0 or P[1, 1] != 0
    if np.any(info.k) or not has_assumption or (info.width, info.height) != (image_width, image_height):
        return None
    if not np.isfinite(P).all():
        raise CameraError("K is zero and P contains NaN or infinity; calibrate the camera, or leave P zero")
    check_intrinsics("P", P, image_width, image_height)
    return Camera(image_width, image_height, P, calibrated=False)
