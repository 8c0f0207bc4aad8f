"""CameraInfo of raw images."""

from __future__ import annotations

from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Header

from endo_depth_ros.geometry.camera import Camera
from endo_depth_ros.geometry.camera_info import info_fields


def raw_camera_info_message(header: Header, camera: Camera) -> CameraInfo:
    """CameraInfo of a raw image; of an uncalibrated camera K is zero, as the message asks, and P is the assumption."""
    fields = info_fields(camera)
    return CameraInfo(
        header=header,
        height=camera.height,
        width=camera.width,
        distortion_model=fields.distortion_model,
        d=fields.d.tolist(),
        k=fields.k.ravel(),
        r=fields.r.ravel(),
        p=fields.p.ravel(),
    )
