"""Core objects as messages of the rosbags type store, which needs no ROS."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from rosbags.interfaces import Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime
from rosbags.typesys import Stores, get_typestore

from endo_depth_ros.geometry.camera import Camera
from endo_depth_ros.geometry.camera_info import info_fields
from endo_depth_ros.geometry.transforms import quaternion_xyzw
from endo_depth_ros.stamps import NANOSECONDS

# The messages used here have been the same since Humble.
TYPESTORE = get_typestore(Stores.ROS2_JAZZY)
FOREVER = QosTime(9223372036, 854775807)


def make_qos(depth: int) -> Qos:
    """A reliable, volatile keep-last profile, as recorded beside a topic."""
    return Qos(
        QosHistory.KEEP_LAST, depth, QosReliability.RELIABLE, QosDurability.VOLATILE, FOREVER, FOREVER,
        QosLiveliness.AUTOMATIC, FOREVER, False,
    )  # fmt: skip


def definition_of(type_name: str) -> str:
    """The definition of a standard message type in the ros2msg form, or '' where the type is not known."""
    if type_name not in TYPESTORE.fielddefs:
        return ""
    return TYPESTORE.generate_msgdef(type_name, ros_version=2)[0]


def make_header(stamp_ns: int, frame_id: str) -> Any:
    """std_msgs/Header."""
    time = TYPESTORE.types["builtin_interfaces/msg/Time"](stamp_ns // NANOSECONDS, stamp_ns % NANOSECONDS)
    return TYPESTORE.types["std_msgs/msg/Header"](time, frame_id)


def make_color_image(stamp_ns: int, frame_id: str, image: NDArray[np.uint8]) -> Any:
    """sensor_msgs/Image rgb8 of uint8 [H, W, 3]."""
    return _make_image(stamp_ns, frame_id, image, "rgb8", 3)


def make_depth_image(stamp_ns: int, frame_id: str, depth: NDArray[np.float32]) -> Any:
    """sensor_msgs/Image 32FC1 of float32 [H, W], metres."""
    return _make_image(stamp_ns, frame_id, depth.astype("<f4", copy=False), "32FC1", 4)


def make_compressed_image(stamp_ns: int, frame_id: str, image: NDArray[np.uint8], quality: int) -> Any:
    """sensor_msgs/CompressedImage, a JPEG of uint8 [H, W, 3], RGB."""
    jpeg = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    header = make_header(stamp_ns, frame_id)
    return TYPESTORE.types["sensor_msgs/msg/CompressedImage"](header, "rgb8; jpeg compressed bgr8", jpeg.ravel())


def _make_image(stamp_ns: int, frame_id: str, pixels: NDArray[Any], encoding: str, pixel_bytes: int) -> Any:
    height, width = pixels.shape[:2]
    data = np.ascontiguousarray(pixels).view(np.uint8).reshape(-1)
    return TYPESTORE.types["sensor_msgs/msg/Image"](
        make_header(stamp_ns, frame_id), height, width, encoding, 0, width * pixel_bytes, data
    )


def make_camera_info(stamp_ns: int, frame_id: str, camera: Camera) -> Any:
    """sensor_msgs/CameraInfo; of an uncalibrated camera K is zero, as the message asks, and P is the assumption."""
    roi = TYPESTORE.types["sensor_msgs/msg/RegionOfInterest"](0, 0, 0, 0, False)
    fields = info_fields(camera)
    return TYPESTORE.types["sensor_msgs/msg/CameraInfo"](
        make_header(stamp_ns, frame_id), camera.height, camera.width, fields.distortion_model,
        fields.d, fields.k.ravel(), fields.r.ravel(), fields.p.ravel(), 0, 0, roi,
    )  # fmt: skip


def make_transforms(stamp_ns: int, parent_frame_id: str, child_frame_id: str, T: NDArray[np.float64]) -> Any:
    """tf2_msgs/TFMessage of one transform T [4, 4] that maps points of the child into the parent frame, metres."""
    types = TYPESTORE.types
    translation = types["geometry_msgs/msg/Vector3"](*T[:3, 3].tolist())
    rotation = types["geometry_msgs/msg/Quaternion"](*quaternion_xyzw(T).tolist())
    transform = types["geometry_msgs/msg/Transform"](translation, rotation)
    stamped = types["geometry_msgs/msg/TransformStamped"](
        make_header(stamp_ns, parent_frame_id), child_frame_id, transform
    )
    return types["tf2_msgs/msg/TFMessage"]([stamped])
