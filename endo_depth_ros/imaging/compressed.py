"""JPEG and PNG images, refused before they are decoded when too large, truncated or corrupt."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from endo_depth_ros.imaging.encodings import ImageError

JPEG_MAGIC = b"\xff\xd8\xff"
PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
JPEG_EOI = b"\xff\xd9"
JPEG_SOS = 0xDA
JPEG_TABLES_IN_SOF_RANGE = (0xC4, 0xC8, 0xCC)
DEFAULT_MAX_PIXELS = 50_000_000
# What simplejpeg stops at before it comes to the picture data: oddities of headers and lenient encoders, no damage.
HEADER_ODDITIES = ("subsampling", "JFIF revision", "Adobe color transform", "Invalid SOS parameters")


def decode_compressed(data: Any, max_pixels: int = DEFAULT_MAX_PIXELS) -> NDArray[np.uint8]:
    """The JPEG or PNG in `data` (any buffer) as contiguous uint8 [H, W, 3], RGB.

    Grey becomes three equal channels, alpha is dropped, 16 bit becomes 8 by its high byte. An EXIF orientation is not
    applied, since the calibration describes the pixels as they were read out.
    Raises ImageError for other formats, more than max_pixels pixels, and truncated or corrupt files.
    """
    content = bytes(data)
    width, height = _read_size(content)
    if width <= 0 or height <= 0:
        raise ImageError(f"the compressed image is {width}x{height}; publish images with pixels")
    if width * height > max_pixels:
        raise ImageError(f"the compressed image is {width}x{height}, over the limit of {max_pixels} pixels; shrink it")
    image = _decode_jpeg(content) if content.startswith(JPEG_MAGIC) else decode_by_opencv(content)
    if image is None or image.shape != (height, width, 3):
        raise ImageError("the compressed image is corrupt: its decoder gave up; check the sender")
    return image


def _decode_jpeg(content: bytes) -> NDArray[np.uint8] | None:
    """The JPEG as uint8 [H, W, 3], RGB, or None. Raises ImageError where its picture data is visibly damaged.

    OpenCV smears colours over what is damaged and only prints libjpeg's warning; simplejpeg gives the same pixels and
    tells. What only OpenCV reads is not checked.
    """
    try:
        return simplejpeg.decode_jpeg(content, "RGB", strict=True)
    except ValueError as error:
        reason = str(error)
    if any(oddity in reason for oddity in HEADER_ODDITIES):
        return decode_by_opencv(content)
    unpadded = _without_padding(content)
    if unpadded != content:
        return _decode_jpeg(unpadded)
    raise ImageError(f"the JPEG is corrupt ({reason}); check the sender and the network")


def _without_padding(content: bytes) -> bytes:
    """The JPEG without the zeros that some cameras write before its end marker, which look like damage to libjpeg.

    One zero stays: it may belong to the picture data, and libjpeg doesn't mind it.
    """
    end = content.rfind(JPEG_EOI)
    data = content[:end].rstrip(b"\x00")
    return content if end - len(data) < 2 else data + b"\x00" + JPEG_EOI


def decode_by_opencv(content: bytes) -> NDArray[np.uint8] | None:
    """An image file of any kind that OpenCV reads as uint8 [H, W, 3], RGB, its orientation ignored; None if it can't.

    OpenCV fills what is missing of a truncated file with grey, and doesn't say so.
    """
    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        return None
    return None if image is None else np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB, dst=image), np.uint8)


def _read_size(content: bytes) -> tuple[int, int]:
    if content.startswith(JPEG_MAGIC):
        return _read_jpeg_size(content)
    if content.startswith(PNG_MAGIC):
        return _read_png_size(content)
    raise ImageError("the compressed image is neither JPEG nor PNG; set the publisher's format to one of them")


def _read_jpeg_size(content: bytes) -> tuple[int, int]:
    """(width, height) of the frame header. Raises ImageError unless a scan and, after it, the end marker follow.

    OpenCV decodes a JPEG without its end to grey, so the end must be seen here (ISO/IEC 10918-1, annex B).
    """
    size: tuple[int, int] | None = None
    at = 2
    while at + 4 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker == 0xFF:
            at += 1  # fill byte
            continue
        length = struct.unpack_from(">H", content, at + 2)[0]
        if marker == JPEG_SOS:
            break
        if 0xC0 <= marker <= 0xCF and marker not in JPEG_TABLES_IN_SOF_RANGE and at + 9 <= len(content):
            height, width = struct.unpack_from(">HH", content, at + 5)
            size = (width, height)
        at += 2 + length
    if size is None or content.rfind(JPEG_EOI) < at:
        raise ImageError("the JPEG is truncated or corrupt; check the sender and the network")
    return size


def _read_png_size(content: bytes) -> tuple[int, int]:
    """(width, height) of IHDR. Raises ImageError unless every chunk's checksum holds up to IEND (ISO/IEC 15948, 5)."""
    view = memoryview(content)
    at = len(PNG_MAGIC)
    kind = b""
    while kind != b"IEND":
        if at + 12 > len(content):
            raise ImageError("the PNG is truncated; check the sender and the network")
        length = struct.unpack_from(">I", content, at)[0]
        end = at + 8 + length
        kind = content[at + 4 : at + 8]
        if end + 4 > len(content) or zlib.crc32(view[at + 4 : end]) != struct.unpack_from(">I", content, end)[0]:
            raise ImageError("the PNG is truncated or corrupt; check the sender and the network")
        at = end + 4
    if content[12:16] != b"IHDR":
        raise ImageError("the PNG is corrupt: it doesn't start with its header; check the sender")
    width, height = struct.unpack_from(">II", content, 16)
    return width, height
