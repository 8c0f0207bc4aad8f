"""Image and CompressedImage messages to RGB arrays; cv_bridge only for what nothing else can read."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import CompressedImage, Image

from endo_depth_ros.imaging.compressed import decode_compressed
from endo_depth_ros.imaging.encodings import ImageError, UnsupportedEncodingError, decode_image


def rgb_of_image(message: Image) -> NDArray[np.uint8]:
    """The message as RGB, uint8 [H, W, 3]. Raises ImageError with a sentence."""
    try:
        return decode_image(
            message.height,
            message.width,
            message.encoding,
            bool(message.is_bigendian),
            message.step,
            message.data,
        )
    except UnsupportedEncodingError as error:
        return _rgb_by_cv_bridge(message, error)


def rgb_of_compressed(message: CompressedImage, max_pixels: int) -> NDArray[np.uint8]:
    """The decoded message as RGB, uint8 [H, W, 3]. Raises ImageError with a sentence."""
    return decode_compressed(message.data, max_pixels)


def _rgb_by_cv_bridge(message: Image, unsupported: UnsupportedEncodingError) -> NDArray[np.uint8]:
    try:
        bridge: Any = importlib.import_module("cv_bridge").CvBridge()
    except Exception as error:  # its binary fails in many ways when NumPy or OpenCV differ from those it was built with
        raise ImageError(f"{unsupported}; cv_bridge, which might read it, can't be imported ({error})") from error
    try:
        image: NDArray[np.uint8] = bridge.imgmsg_to_cv2(message, "rgb8")
    except Exception as error:  # CvBridgeError, cv2.error or TypeError, by version
        raise ImageError(f"cv_bridge can't convert encoding '{message.encoding}' to rgb8 ({error})") from error
    return image
