"""Frames with true depth and pose as a rosbag2."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from endo_depth_ros.bags.bag_writer import BagWriter
from endo_depth_ros.bags.frames_to_bag import JPEG_QUALITY, FrameBagOptions, stamp_offset_ns
from endo_depth_ros.bags.messages import (
    make_camera_info,
    make_color_image,
    make_compressed_image,
    make_depth_image,
    make_qos,
    make_transforms,
)
from endo_depth_ros.bags.output import OutputError
from endo_depth_ros.bags.topics import CAMERA_INFO, COMPRESSED_SUFFIX, IMAGE, TF, TRUTH_CAMERA_INFO, TRUTH_DEPTH
from endo_depth_ros.datasets.truth_sequence import TruthFrame

WORLD_FRAME_ID = "world"
OFFERED = (make_qos(10),)


def write_truth(frames: Iterable[TruthFrame], path: Path, options: FrameBagOptions) -> int:
    """Write an .mcap of image, camera, and where known true depth and world→camera transform; number of frames.

    Raises OutputError when the file exists, can't be written, or there is no frame.
    """
    offset_ns: int | None = None
    count = 0
    with BagWriter(path, options.compression) as writer:
        for truth in frames:
            if offset_ns is None:
                offset_ns = stamp_offset_ns(truth.frame.stamp_ns, options.start_s)
            stamp_ns = truth.frame.stamp_ns + offset_ns
            for topic, message in truth_messages(truth, stamp_ns, options.jpeg).items():
                writer.write_message(topic, stamp_ns, message, OFFERED)
            count += 1
    if count == 0:
        raise OutputError(f"{path}: there is no frame to write; ask for at least one")
    return count


def truth_messages(truth: TruthFrame, stamp_ns: int, jpeg: bool) -> dict[str, Any]:
    """Message of each topic, the camera and the transform before the images that need them."""
    frame = truth.frame
    header = (stamp_ns, frame.frame_id)
    messages: dict[str, Any] = {}
    if truth.T_world_camera is not None:
        messages[TF] = make_transforms(stamp_ns, WORLD_FRAME_ID, frame.frame_id, truth.T_world_camera)
    messages[CAMERA_INFO] = make_camera_info(*header, frame.camera)
    if jpeg:
        messages[IMAGE + COMPRESSED_SUFFIX] = make_compressed_image(*header, frame.image, JPEG_QUALITY)
    else:
        messages[IMAGE] = make_color_image(*header, frame.image)
    if truth.depth is not None:
        messages[TRUTH_CAMERA_INFO] = make_camera_info(*header, frame.camera)
        messages[TRUTH_DEPTH] = make_depth_image(*header, truth.depth)
    return messages
