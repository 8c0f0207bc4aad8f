"""Raw images of sensor_msgs/Image as RGB arrays, by NumPy views and one conversion each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


class ImageError(ValueError):
    """The image can't be used; the text says why and what to do."""


class UnsupportedEncodingError(ImageError):
    """The encoding isn't one that is read here; the text lists those that are."""


@dataclass(frozen=True)
class Encoding:
    """How the bytes of one pixel become RGB.

    pixel_bytes: bytes of a pixel. group: pixels that share samples, so the width is a multiple of it.
    to_rgb: from uint8 [H, W, pixel_bytes], rows perhaps padded, and whether samples are big endian, to uint8 [H, W, 3].
    """

    pixel_bytes: int
    to_rgb: Callable[[Pixels, bool], Pixels]
    group: int = 1


def _keep(pixels: Pixels, is_bigendian: bool) -> Pixels:
    return np.ascontiguousarray(pixels)


def _take_high_byte(pixels: Pixels, is_bigendian: bool) -> Pixels:
    """16 bit grey to 8 bit by dropping the lower byte (>> 8), so that the full range of uint16 is the full range."""
    high = pixels[..., 0 if is_bigendian else 1]
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(high), cv2.COLOR_GRAY2RGB), np.uint8)


def _by_opencv(code: int) -> Callable[[Pixels, bool], Pixels]:
    def convert(pixels: Pixels, is_bigendian: bool) -> Pixels:
        return np.asarray(cv2.cvtColor(pixels, code), np.uint8)

    return convert


RGB8 = Encoding(3, _keep)
BGR8 = Encoding(3, _by_opencv(cv2.COLOR_BGR2RGB))
RGBA8 = Encoding(4, _by_opencv(cv2.COLOR_RGBA2RGB))
BGRA8 = Encoding(4, _by_opencv(cv2.COLOR_BGRA2RGB))
MONO8 = Encoding(1, _by_opencv(cv2.COLOR_GRAY2RGB))
MONO16 = Encoding(2, _take_high_byte)
# BT.601 in video range, as cv_bridge reads them.
UYVY = Encoding(2, _by_opencv(cv2.COLOR_YUV2RGB_UYVY), group=2)
YUY2 = Encoding(2, _by_opencv(cv2.COLOR_YUV2RGB_YUY2), group=2)

ENCODINGS = {
    "rgb8": RGB8,
    "bgr8": BGR8,
    "rgba8": RGBA8,
    "bgra8": BGRA8,
    "mono8": MONO8,
    "mono16": MONO16,
    "yuv422": UYVY,
    "uyvy": UYVY,
    "yuv422_yuy2": YUY2,
    "yuyv": YUY2,
    # OpenCV's names say nothing about colour; its order is BGR.
    "8UC1": MONO8,
    "8UC3": BGR8,
    "16UC1": MONO16,
}


def decode_image(height: int, width: int, encoding: str, is_bigendian: bool, step: int, data: Any) -> Pixels:
    """The image as contiguous uint8 [H, W, 3], RGB; arguments are the fields of sensor_msgs/Image.

    data: bytes, array.array or any buffer of step * height bytes. Unpadded rgb8 is a view of it (read-only when the
    buffer is), everything else is converted once. Raises UnsupportedEncodingError, or ImageError for impossible sizes.
    """
    if encoding not in ENCODINGS:
        raise UnsupportedEncodingError(f"encoding '{encoding}' is not supported; use one of {', '.join(ENCODINGS)}")
    trait = ENCODINGS[encoding]
    _check_sizes(height, width, encoding, trait, step, memoryview(data).nbytes)
    rows = np.frombuffer(data, np.uint8).reshape(height, step)
    pixels = rows[:, : width * trait.pixel_bytes].reshape(height, width, trait.pixel_bytes)
    return trait.to_rgb(pixels, bool(is_bigendian))


def _check_sizes(height: int, width: int, encoding: str, trait: Encoding, step: int, size: int) -> None:
    if height <= 0 or width <= 0:
        raise ImageError(f"its size is {width}x{height}; publish images with pixels")
    if width % trait.group:
        raise ImageError(f"its width {width} is odd, which {encoding} can't have; use an even width")
    row = width * trait.pixel_bytes
    if step < row:
        raise ImageError(f"step is {step} bytes but a row of {width} {encoding} pixels takes {row}; correct step")
    expected = step * height
    if size != expected:
        what = "truncated" if size < expected else "oversized"
        raise ImageError(f"data is {what}: {size} bytes instead of step * height = {expected}; send whole images")
