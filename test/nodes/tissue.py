"""Images and messages that look enough like an endoscope's for a node."""

from __future__ import annotations

import array

import cv2
import numpy as np
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

W, H = 160, 128


def tissue_image(width: int = W, height: int = H) -> np.ndarray:
    """A lit round field of view of pink tissue on black, uint8 RGB."""
    y, x = np.mgrid[:height, :width]
    radius = np.hypot(x - (width - 1) / 2, y - (height - 1) / 2) / (height / 2)
    light = 0.35 + 0.4 * np.clip(radius, 0, 1)
    image = (light[..., None] * np.array([255, 140, 120])).astype(np.uint8)
    image[radius > 0.9] = 0
    return image


def header(message, stamp_ns: int, frame_id: str = "scope"):
    """The message with this stamp and frame."""
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, 10**9)
    message.header.frame_id = frame_id
    return message


def image_of(stamp_ns: int, image: np.ndarray | None = None, encoding: str = "rgb8", frame_id: str = "scope") -> Image:
    """An Image message."""
    image = tissue_image() if image is None else image
    data = array.array("B", image.tobytes())
    message = Image(height=image.shape[0], width=image.shape[1], encoding=encoding, step=image.strides[0], data=data)
    return header(message, stamp_ns, frame_id)


def jpeg_of(stamp_ns: int) -> CompressedImage:
    """A CompressedImage message."""
    data = cv2.imencode(".jpg", cv2.cvtColor(tissue_image(), cv2.COLOR_RGB2BGR))[1]
    return header(CompressedImage(format="jpeg", data=array.array("B", data.tobytes())), stamp_ns)


def info_of(stamp_ns: int, width: int = W, height: int = H, f: float = 120.0) -> CameraInfo:
    """The CameraInfo of a centred pinhole."""
    K = [f, 0.0, (width - 1) / 2, 0.0, f, (height - 1) / 2, 0.0, 0.0, 1.0]
    P = [*K[:3], 0.0, *K[3:6], 0.0, *K[6:], 0.0]
    r = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    return header(
        CameraInfo(width=width, height=height, distortion_model="plumb_bob", d=[0.0] * 5, k=K, r=r, p=P), stamp_ns
    )
