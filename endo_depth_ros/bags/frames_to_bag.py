"""Frames of any source as a rosbag2 with images and, where known, calibrations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.bags.bag_writer import BagWriter
from endo_depth_ros.bags.messages import make_camera_info, make_color_image, make_compressed_image
from endo_depth_ros.bags.source import SourceFrame, camera_of
from endo_depth_ros.bags.topics import CAMERA_INFO, COMPRESSED_SUFFIX, IMAGE
from endo_depth_ros.stamps import FIRST_STAMP_NS, NANOSECONDS

JPEG_QUALITY = 95


@dataclass(frozen=True)
class FrameBagOptions:
    """How frames are written.

    start_s: stamp of the first frame; None keeps the source's stamps, or starts at one second where they start at zero.
    hfov_deg: lens to assume where the source has no calibration.
    """

    start_s: float | None = None
    hfov_deg: float | None = None
    jpeg: bool = False
    compression: str = "none"


def write_frames(frames: Iterable[tuple[SourceFrame, NDArray[np.uint8]]], path: Path, options: FrameBagOptions) -> int:
    """Write readable frames and their images as an .mcap; how many had no calibration. Raises OutputError."""
    offset_ns: int | None = None
    uncalibrated = 0
    with BagWriter(path, options.compression) as writer:
        for frame, image in frames:
            if offset_ns is None:
                offset_ns = stamp_offset_ns(frame.stamp_ns, options.start_s)
            stamp_ns = frame.stamp_ns + offset_ns
            camera = camera_of(frame, image, options.hfov_deg)
            uncalibrated += camera is None
            if camera is not None:
                writer.write_message(CAMERA_INFO, stamp_ns, make_camera_info(stamp_ns, frame.frame_id, camera))
            if options.jpeg:
                message = make_compressed_image(stamp_ns, frame.frame_id, image, JPEG_QUALITY)
                writer.write_message(IMAGE + COMPRESSED_SUFFIX, stamp_ns, message)
            else:
                writer.write_message(IMAGE, stamp_ns, make_color_image(stamp_ns, frame.frame_id, image))
    return uncalibrated


def stamp_offset_ns(first_ns: int, start_s: float | None) -> int:
    """What to add to every stamp so that the first is start_s, or one second where it is zero."""
    if start_s is not None:
        return round(start_s * NANOSECONDS) - first_ns
    return FIRST_STAMP_NS if first_ns == 0 else 0
