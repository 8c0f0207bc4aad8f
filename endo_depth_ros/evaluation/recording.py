"""What the nodes published, and the truth beside it, read back from bags."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.bags.bag_reader import open_bag
from endo_depth_ros.bags.messages import TYPESTORE
from endo_depth_ros.bags.topics import TRUTH_CAMERA_INFO, TRUTH_DEPTH
from endo_depth_ros.geometry.camera import Camera, camera_from_info
from endo_depth_ros.imaging.depth_image import decode_depth_image
from endo_depth_ros.stamps import stamp_ns_of

DEPTH, SIGMA, IMAGE, CAMERA_INFO, STATUS = (
    "/depth/image_rect",
    "/depth/sigma",
    "/rgb/image_rect",
    "/depth/camera_info",
    "/depth/status",
)


@dataclass(frozen=True)
class RecordedFrame:
    """Everything published about one image; what was not published is None.

    depth, sigma: float32 [H, W]. image: uint8 [H, W, 3], RGB. status: the keys of depth/status.
    """

    stamp_ns: int
    camera: Camera | None = None
    image: NDArray[np.uint8] | None = None
    depth: NDArray[np.float32] | None = None
    sigma: NDArray[np.float32] | None = None
    status: dict[str, str] = field(default_factory=dict)


def read_recording(path: Path) -> list[RecordedFrame]:
    """The frames of an output bag by stamp; one for each depth/status. Raises SourceError for an unreadable bag."""
    found: dict[int, dict[str, Any]] = {}
    for topic, message in read_messages(path, (DEPTH, SIGMA, IMAGE, CAMERA_INFO, STATUS)):
        frame = found.setdefault(stamp_ns_of(message.header), {})
        if topic in (DEPTH, SIGMA):
            frame["depth" if topic == DEPTH else "sigma"] = depth_pixels(message)
        elif topic == IMAGE:
            frame["image"] = color_pixels(message)
        elif topic == CAMERA_INFO:
            frame["camera"] = camera_from_info(message, message.width, message.height)
        else:
            frame["status"] = {pair.key: pair.value for pair in message.status[0].values}
    return [RecordedFrame(stamp_ns, **parts) for stamp_ns, parts in sorted(found.items()) if "status" in parts]


def read_truth(path: Path) -> dict[int, tuple[NDArray[np.float32], Camera]]:
    """True depth, float32 [H, W] in metres, and its pinhole camera by stamp. Raises SourceError."""
    depths: dict[int, NDArray[np.float32]] = {}
    cameras: dict[int, Camera] = {}
    for topic, message in read_messages(path, (TRUTH_DEPTH, TRUTH_CAMERA_INFO)):
        stamp_ns = stamp_ns_of(message.header)
        if topic == TRUTH_DEPTH:
            depths[stamp_ns] = depth_pixels(message)
        else:
            cameras[stamp_ns] = camera_from_info(message, message.width, message.height)
    return {stamp_ns: (depth, cameras[stamp_ns]) for stamp_ns, depth in depths.items() if stamp_ns in cameras}


def read_messages(path: Path, topics: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """(topic name, message) of the topics by time of recording. Raises SourceError."""
    with open_bag(path) as bag:
        chosen = [topic for topic in bag.topics if topic.name in topics]
        for raw in bag.messages(chosen):
            yield raw.topic.name, TYPESTORE.deserialize_cdr(raw.data, raw.topic.type)


def depth_pixels(message: Any) -> NDArray[np.float32]:
    """Depth or sigma of an Image, float32 [H, W] in metres. Raises ImageError."""
    return decode_depth_image(
        message.height, message.width, message.encoding, bool(message.is_bigendian), message.step, message.data
    )


def color_pixels(message: Any) -> NDArray[np.uint8]:
    """The array of an rgb8 Image, uint8 [H, W, 3]."""
    return np.frombuffer(message.data, np.uint8).reshape(message.height, message.width, 3)
