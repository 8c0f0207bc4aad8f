"""Calibration files as camera_calibration writes and camera_info_manager reads them."""

from __future__ import annotations

import reprlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from endo_depth_ros.geometry.camera import PINHOLE, PLUMB_BOB, Camera, CameraError, camera_from_info
from endo_depth_ros.geometry.camera_info import info_fields

CAMERA_NAME = "endoscope"
MAX_PIXELS = 100_000
UNCROPPED = SimpleNamespace(x_offset=0, y_offset=0, width=0, height=0)


def read_camera(path: Path) -> Camera:
    """The camera in a calibration file. An extra key `calibrated: false` says that the focal length was assumed.

    Raises CameraError with the file, what is wrong in it and the remedy.
    """
    try:
        return _parse_camera(_load_mapping(path))
    except CameraError as error:
        raise CameraError(f"{path}: {error}") from error


def write_camera(path: Path, camera: Camera) -> None:
    """Write the camera as a calibration file; projection_matrix is zero where nobody chose one for a bent image."""
    fields = info_fields(camera)
    document = {
        "image_width": camera.width,
        "image_height": camera.height,
        "camera_name": CAMERA_NAME,
        "camera_matrix": _matrix(camera.K),
        "distortion_model": fields.distortion_model,
        "distortion_coefficients": _matrix(fields.d[None]),
        "rectification_matrix": _matrix(fields.r),
        "projection_matrix": _matrix(fields.p),
        "calibrated": camera.calibrated,
    }
    path.write_text(yaml.safe_dump(document, sort_keys=False, default_flow_style=None, width=200))


def _load_mapping(path: Path) -> dict[str, Any]:
    try:
        document = yaml.safe_load(path.read_text())
    # The parser lets Python's own errors through for dates and numbers out of range and for deep nesting.
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        why = " ".join(str(error).split())
        raise CameraError(f"not a readable YAML file ({why}); give one that camera_calibration wrote") from error
    if not isinstance(document, dict):
        raise CameraError("not a calibration file; give one that camera_calibration wrote")
    return document


def _parse_camera(document: dict[str, Any]) -> Camera:
    width, height = _pixels(document, "image_width"), _pixels(document, "image_height")
    K = _numbers(document, "camera_matrix", 9)
    P = _numbers(document, "projection_matrix", 12) if "projection_matrix" in document else np.zeros(12)
    R = _numbers(document, "rectification_matrix", 9) if "rectification_matrix" in document else np.eye(3).ravel()
    D = _numbers(document, "distortion_coefficients", None)
    model = str(document.get("distortion_model", PLUMB_BOB if np.any(D) else PINHOLE))
    info = SimpleNamespace(
        width=width, height=height, k=K, d=D, r=R, p=P, distortion_model=model, roi=UNCROPPED, binning_x=0, binning_y=0
    )
    camera = camera_from_info(info, width, height)
    calibrated = document.get("calibrated", True)
    if not isinstance(calibrated, bool):
        raise CameraError(f"calibrated is {reprlib.repr(calibrated)}; write true or false")
    return Camera(width, height, camera.K, camera.distortion_model, camera.D, camera.R, camera.P, calibrated=calibrated)


def _pixels(document: dict[str, Any], key: str) -> int:
    value = _value(document, key)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= MAX_PIXELS:
        raise CameraError(f"{key} is {reprlib.repr(value)}; write the positive number of pixels that was calibrated")
    return value


def _numbers(document: dict[str, Any], key: str, count: int | None) -> NDArray[np.float64]:
    section = _value(document, key)
    data = section.get("data") if isinstance(section, dict) else section
    try:
        numbers = np.array(data, np.float64).ravel()
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise CameraError(f"{key} holds something that is no number; write its data as a list of numbers") from error
    if count is not None and len(numbers) != count:
        raise CameraError(f"{key} has {len(numbers)} numbers; it takes {count}, row by row")
    if not np.isfinite(numbers).all():
        raise CameraError(f"{key} contains NaN or infinity; calibrate the camera again")
    return numbers


def _value(document: dict[str, Any], key: str) -> Any:
    if key not in document:
        raise CameraError(f"the key {key} is missing; give a file that camera_calibration wrote")
    return document[key]


def _matrix(values: NDArray[np.float64]) -> dict[str, Any]:
    rows, cols = values.shape
    return {"rows": rows, "cols": cols, "data": [float(v) for v in values.ravel()]}
