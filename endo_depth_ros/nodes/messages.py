"""Core objects as ROS messages. Stamp and frame always come from the header of the image they belong to."""

from __future__ import annotations

import array
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from numpy.typing import NDArray
from sensor_msgs.msg import CameraInfo, Image, PointCloud2, PointField
from std_msgs.msg import Header

from endo_depth_ros.contracts import STATUS_SCHEMA_VERSION, FrameStatus, ScaleState, Verdict
from endo_depth_ros.geometry.camera import Camera
from endo_depth_ros.geometry.camera_info import info_fields

MILLIMETRES_PER_METRE = 1000.0
FARTHEST_MM = 65535


def to_bytes(values: NDArray[np.generic]) -> array.array[int]:
    """The array's memory as what `msg.data` takes fastest on every distribution."""
    data = array.array("B")
    data.frombytes(np.ascontiguousarray(values).view(np.uint8).data)
    return data


def image_message(header: Header, image: NDArray[np.generic], encoding: str) -> Image:
    """An Image of the array [H, W] or [H, W, C] whose dtype and channels are those of the encoding."""
    height, width = image.shape[:2]
    step = image.itemsize * image[0].size
    return Image(
        header=header, height=height, width=width, encoding=encoding, is_bigendian=0, step=step, data=to_bytes(image)
    )


def depth_in_millimetres(depth: NDArray[np.float32]) -> NDArray[np.uint16]:
    """16UC1 depth (REP-118): millimetres, 0 where there is none or it does not fit."""
    with np.errstate(invalid="ignore"):
        mm = np.rint(depth * MILLIMETRES_PER_METRE)
        return np.where((mm >= 1) & (mm <= FARTHEST_MM), mm, 0).astype(np.uint16)


def camera_info_message(header: Header, camera: Camera) -> CameraInfo:
    """CameraInfo of an image; of an uncalibrated camera K is zero, as the message asks, and P is the assumption."""
    fields = info_fields(camera)
    return CameraInfo(
        header=header,
        height=camera.height,
        width=camera.width,
        distortion_model=fields.distortion_model,
        d=fields.d.tolist(),
        k=fields.k.ravel(),
        r=fields.r.ravel(),
        p=fields.p.ravel(),
    )


def rectified_camera_info_message(header: Header, camera: Camera) -> CameraInfo:
    """CameraInfo of a rectified pinhole image: D = 0, R = I, P = [K | 0], also where the lens was assumed."""
    return camera_info_message(header, replace(camera, calibrated=True))


def points_message(header: Header, points: NDArray[np.void]) -> PointCloud2:
    """PointCloud2 of a structured array with x, y, z, rgb, flat [N] (dense) or organised [H, W]."""
    height, width = points.shape if points.ndim == 2 else (1, points.shape[0])
    fields = [
        PointField(name=name, offset=4 * place, datatype=PointField.FLOAT32, count=1)
        for place, name in enumerate(("x", "y", "z", "rgb"))
    ]
    return PointCloud2(
        header=header,
        height=height,
        width=width,
        fields=fields,
        is_bigendian=False,
        point_step=points.itemsize,
        row_step=points.itemsize * width,
        data=to_bytes(points),
        is_dense=points.ndim == 1,
    )


def status_message(header: Header, status: FrameStatus, extra: Mapping[str, object]) -> DiagnosticArray:
    """The per-frame status; the keys are documented in docs/nodes/depth_node.md."""
    values: dict[str, object] = {
        "schema_version": STATUS_SCHEMA_VERSION,
        "verdict": status.verdict.value,
        "reason": status.reason,
        "coverage": f"{status.coverage:.4f}",
        "scale_state": status.scale.state.value,
        "scale": repr(status.scale.value),
        "scale_sigma": repr(status.scale.sigma),
        "scale_epoch": status.scale.epoch,
        "calibrated": str(status.calibrated).lower(),
        "field_of_view": status.field_of_view,
        "model": status.model,
        "steadiness": f"{status.steadiness:.4f}",
        **extra,
    }
    if status.verdict is not Verdict.OK:
        level, message = DiagnosticStatus.ERROR, status.reason or status.verdict.value
    elif status.scale.state is ScaleState.RELATIVE:
        level, message = DiagnosticStatus.WARN, "scale unknown: depth is not in metres"
    else:
        level, message = DiagnosticStatus.OK, "ok"
    return diagnostics_message(header, [diagnostic("depth", level, message, values, header.frame_id)])


def diagnostic(
    name: str, level: bytes, message: str, values: Mapping[str, object], hardware_id: str = ""
) -> DiagnosticStatus:
    """One DiagnosticStatus with its values as text."""
    pairs = [KeyValue(key=key, value=str(value)) for key, value in values.items()]
    return DiagnosticStatus(level=level, name=name, message=message, hardware_id=hardware_id, values=pairs)


def diagnostics_message(header: Header, statuses: list[DiagnosticStatus]) -> DiagnosticArray:
    """A DiagnosticArray with the given header."""
    return DiagnosticArray(header=header, status=statuses)
