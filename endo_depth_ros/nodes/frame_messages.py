"""What depth_node publishes about one image, back as the core's own types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from numpy.typing import NDArray
from sensor_msgs.msg import CameraInfo, Image

from endo_depth_ros.contracts import DepthEstimate, Frame, FrameStatus, Scale, ScaleState, Verdict
from endo_depth_ros.geometry.camera import Camera, camera_from_info
from endo_depth_ros.imaging.depth_image import decode_depth_image
from endo_depth_ros.nodes.image_input import rgb_of_image
from endo_depth_ros.stamps import stamp_ns_of

# Of depth without a topic of its own for it.
ASSUMED_SIGMA = 0.1


class FrameMessageError(ValueError):
    """Messages that don't belong together or can't be read; the text says which, why and what to do."""


def estimate_of(
    rgb: Image, depth: Image, info: CameraInfo, status: DiagnosticArray, sigma: Image | None
) -> DepthEstimate:
    """The frame with its depth. Without sigma a tenth of the depth is taken.

    Raises FrameMessageError, ImageError or CameraError with a sentence.
    """
    frame_status = status_of(status)
    image = rgb_of_image(rgb)
    values = depth_of(depth)
    deviation = np.float32(ASSUMED_SIGMA) * values if sigma is None else depth_of(sigma)
    height, width = values.shape
    for name, shape in (("rgb/image_rect", image.shape[:2]), ("depth/sigma", deviation.shape)):
        if shape != values.shape:
            raise FrameMessageError(
                f"{name} is {shape[1]}x{shape[0]} but the depth {width}x{height}; publish both of one size"
            )
    camera = rectified_camera(info, width, height, frame_status.calibrated)
    frame = Frame(stamp_ns_of(rgb.header), depth.header.frame_id, image, camera)
    return DepthEstimate(frame, values, np.where(np.isfinite(values), deviation, np.float32(np.nan)), frame_status)


def depth_of(message: Image) -> NDArray[np.float32]:
    """Depth of an Image, float32 [H, W], metres. Raises ImageError."""
    return decode_depth_image(
        message.height, message.width, message.encoding, bool(message.is_bigendian), message.step, message.data
    )


def rectified_camera(info: CameraInfo, width: int, height: int, calibrated: bool) -> Camera:
    """The pinhole of a width × height depth image. Raises CameraError or FrameMessageError."""
    camera = camera_from_info(info, width, height)
    if not camera.rectified:
        raise FrameMessageError(
            "it has distortion or a rectifying rotation; give that of the rectified image: D 0, R I"
        )
    return replace(camera, calibrated=calibrated)


def status_of(message: DiagnosticArray) -> FrameStatus:
    """The frame's status. Raises FrameMessageError for one that depth_node doesn't write."""
    return frame_status(stamp_ns_of(message.header), status_values(message))


def frame_status(stamp_ns: int, values: Mapping[str, str]) -> FrameStatus:
    """A frame's status from the keys of depth/status. Raises FrameMessageError for what depth_node doesn't write."""
    try:
        return FrameStatus(
            stamp_ns,
            Verdict(values["verdict"]),
            values["reason"],
            float(values["coverage"]),
            Scale(
                ScaleState(values["scale_state"]),
                float(values["scale"]),
                float(values["scale_sigma"]),
                int(values["scale_epoch"]),
            ),
            values["field_of_view"],
            values["calibrated"] == "true",
            values["model"],
            float(values["steadiness"]),
        )
    except KeyError as error:
        raise FrameMessageError(
            f"the status lacks {error}; connect depth/status of this version's depth_node"
        ) from error
    except ValueError as error:
        raise FrameMessageError(f"the status can't be read ({error}); connect depth/status of depth_node") from error


def status_values(message: DiagnosticArray) -> dict[str, str]:
    """The keys of a message with one status; empty where there is none."""
    return {pair.key: pair.value for pair in message.status[0].values} if message.status else {}
