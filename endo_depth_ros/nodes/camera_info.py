"""CameraInfo of raw images."""

from __future__ import annotations

import numpy as np
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Header

from endo_depth_ros.bags.camera_yaml import projection_matrix
from endo_depth_ros.geometry.camera import PLUMB_BOB, Camera


def raw_camera_info_message(header: Header, camera: Camera) -> CameraInfo:
    """CameraInfo of a raw image; of an uncalibrated camera K is zero, as the message asks, and P is the assumption."""
    return CameraInfo(
        header=header,
        height=camera.height,
        width=camera.width,
        distortion_model=camera.distortion_model or PLUMB_BOB,
        d=(camera.D if camera.D.size else np.zeros(5)).tolist(),
        k=camera.K.ravel() if camera.calibrated else np.zeros(9),
        r=camera.R.ravel(),
        p=projection_matrix(camera).ravel(),
    )
