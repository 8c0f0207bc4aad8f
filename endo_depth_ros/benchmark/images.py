"""The images of a benchmark, as they would arrive: encoded, each with its camera, in an endless order without cuts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle

import cv2
import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.geometry.camera import Camera
from endo_depth_ros.imaging.compressed import decode_compressed
from endo_depth_ros.imaging.encodings import decode_image

JPEG_QUALITY = 90


@dataclass(frozen=True)
class EncodedImage:
    """What a message brings. data: rgb8 without padding, or a JPEG. camera: of exactly this image."""

    data: bytes
    is_jpeg: bool
    camera: Camera

    def decode(self) -> NDArray[np.uint8]:
        """The image as depth_node would read it, uint8 [H, W, 3], RGB."""
        if self.is_jpeg:
            return decode_compressed(self.data)
        width, height = self.camera.width, self.camera.height
        return decode_image(height, width, "rgb8", False, 3 * width, self.data)


def encode(image: NDArray[np.uint8], camera: Camera, as_jpeg: bool) -> EncodedImage:
    """The image, uint8 [H, W, 3], RGB, as a driver would send it."""
    if not as_jpeg:
        return EncodedImage(image.tobytes(), False, camera)
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", bgr, (cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY))
    return EncodedImage(data.tobytes(), True, camera)


def resize(image: NDArray[np.uint8], camera: Camera, width: int, height: int) -> tuple[NDArray[np.uint8], Camera]:
    """Image and camera at another size, or as they are."""
    if (width, height) == (camera.width, camera.height):
        return image, camera
    shrinks = width * height < camera.width * camera.height
    resized = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    return np.asarray(resized, np.uint8), camera.resized(width, height)


def back_and_forth(images: Sequence[EncodedImage]) -> Iterator[EncodedImage]:
    """The images forwards, backwards and so on for ever, so that a few of them make a video without cuts."""
    return cycle([*images, *images[-2:0:-1]])
