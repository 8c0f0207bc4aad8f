"""Camera models as sensor_msgs/CameraInfo describes them, and what resizing and cropping do to them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

PINHOLE = ""
PLUMB_BOB = "plumb_bob"
RATIONAL_POLYNOMIAL = "rational_polynomial"
EQUIDISTANT = "equidistant"
STEREOGRAPHIC = "stereographic"  # of our own images (stereographic.py), never of a CameraInfo
# Coefficients that OpenCV understands for each model; fewer are padded with zeros.
COEFFICIENT_COUNTS = {PINHOLE: (0,), PLUMB_BOB: (4, 5), RATIONAL_POLYNOMIAL: (8, 12, 14), EQUIDISTANT: (4,)}
# What a lens can have: focal lengths in longer sides of the image, the principal point in widths and heights.
MIN_FOCAL, MAX_FOCAL = 0.05, 100.0
MIN_CENTRE, MAX_CENTRE = -1.0, 2.0


class CameraError(ValueError):
    """The calibration can't be used; the text says why and what to do."""


@dataclass(frozen=True, eq=False)
class Camera:
    """Intrinsics of the image they come with.

    width, height: pixels. K: float64 [3, 3] of the raw image, pixel centres at integers. D: float64 [n] of
    `distortion_model` ('' pinhole, plumb_bob, rational_polynomial, equidistant, stereographic). R: float64 [3, 3],
    rectifying rotation. P: float64 [3, 3], left part of the rectified projection, or None when nobody chose one.
    calibrated: False where the focal length was assumed.
    """

    width: int
    height: int
    K: NDArray[np.float64]
    distortion_model: str = PINHOLE
    D: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    R: NDArray[np.float64] = field(default_factory=lambda: np.eye(3))
    P: NDArray[np.float64] | None = None
    calibrated: bool = True

    @cached_property
    def key(self) -> tuple[Any, ...]:
        """Everything that makes two cameras the same, hashable."""
        p = b"" if self.P is None else self.P.tobytes()
        arrays = (self.K.tobytes(), self.D.tobytes(), self.R.tobytes(), p)
        return (self.width, self.height, self.distortion_model, self.calibrated, *arrays)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Camera) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    @property
    def distorted(self) -> bool:
        """Whether lines in the image bend. An equidistant lens is never a pinhole, whatever its coefficients."""
        return self.distortion_model in (EQUIDISTANT, STEREOGRAPHIC) or bool(np.any(self.D))

    @property
    def rectified(self) -> bool:
        """Whether the image is already the pinhole image that `P` (or K) projects."""
        same_projection = self.P is None or np.allclose(self.P, self.K)
        return not self.distorted and same_projection and np.allclose(self.R, np.eye(3))

    def resized(self, width: int, height: int) -> Camera:
        """The camera of the image resized to width × height pixels; pixel centres, not corners, keep their meaning."""
        sx, sy = width / self.width, height / self.height
        S = np.array([[sx, 0, 0.5 * sx - 0.5], [0, sy, 0.5 * sy - 0.5], [0, 0, 1]])
        return self._transformed(S, width, height)

    def cropped(self, x: int, y: int, width: int, height: int) -> Camera:
        """The camera of the width × height window whose top left pixel is (x, y)."""
        S = np.array([[1.0, 0, -x], [0, 1, -y], [0, 0, 1]])
        return self._transformed(S, width, height)

    def _transformed(self, S: NDArray[np.float64], width: int, height: int) -> Camera:
        P = None if self.P is None else S @ self.P
        return Camera(width, height, S @ self.K, self.distortion_model, self.D, self.R, P, self.calibrated)


def pinhole_from_hfov(width: int, height: int, hfov_deg: float) -> Camera:
    """An uncalibrated, centred pinhole with square pixels, hfov_deg degrees wide. Raises CameraError."""
    if not 0 < hfov_deg < 180:
        raise CameraError(f"a horizontal field of view of {hfov_deg} degrees is impossible; give one between 0 and 180")
    f = 0.5 * width / math.tan(math.radians(hfov_deg) / 2)
    K = np.array([[f, 0, (width - 1) / 2], [0, f, (height - 1) / 2], [0, 0, 1.0]])
    return Camera(width, height, K, calibrated=False)


def stereographic_from_hfov(width: int, height: int, hfov_deg: float) -> Camera:
    """A centred stereographic camera with square pixels, hfov_deg degrees wide. Raises CameraError."""
    if not 0 < hfov_deg < 180:
        raise CameraError(f"a horizontal field of view of {hfov_deg} degrees is impossible; give one between 0 and 180")
    f = 0.25 * width / math.tan(math.radians(hfov_deg) / 4)
    K = np.array([[f, 0, (width - 1) / 2], [0, f, (height - 1) / 2], [0, 0, 1.0]])
    return Camera(width, height, K, STEREOGRAPHIC, calibrated=False)


def camera_from_info(info: Any, image_width: int, image_height: int) -> Camera:
    """The camera of an image_width × image_height image whose sensor_msgs/CameraInfo is `info`.

    Applies the region of interest, then binning (REP-104); `info` is any object with CameraInfo's fields.
    Raises CameraError for NaN or zero K, impossible K or P, unknown models, wrong coefficient counts and images of
    another size.
    """
    full = _full_resolution_camera(info)
    roi, bins = info.roi, (max(int(info.binning_x), 1), max(int(info.binning_y), 1))
    width, height = roi.width or full.width, roi.height or full.height
    if roi.x_offset + width > full.width or roi.y_offset + height > full.height:
        raise CameraError(
            f"its region of interest {width}x{height} leaves the {full.width}x{full.height} image; correct roi"
        )
    camera = full.cropped(roi.x_offset, roi.y_offset, width, height)
    binned = (width // bins[0], height // bins[1])
    if 0 in binned:
        raise CameraError(f"its binning {bins[0]}x{bins[1]} leaves nothing of {width}x{height} pixels; correct binning")
    # A binned pixel is centred on its block, which is what resizing does; a remainder of the block is not read out.
    camera = camera.cropped(0, 0, binned[0] * bins[0], binned[1] * bins[1]).resized(*binned)
    if (camera.width, camera.height) != (image_width, image_height):
        raise CameraError(
            f"it describes a {camera.width}x{camera.height} image but the image is {image_width}x{image_height}; "
            "calibrate at this size or set width, height, binning and roi"
        )
    return camera


def _full_resolution_camera(info: Any) -> Camera:
    K = np.array(info.k, np.float64).reshape(3, 3)
    R = np.array(info.r, np.float64).reshape(3, 3)
    P = np.array(info.p, np.float64).reshape(3, 4)[:, :3].copy()
    D = np.array(info.d, np.float64)
    if info.width == 0 or info.height == 0:
        raise CameraError("its width or height is zero; set the size that was calibrated")
    if not (np.isfinite(K).all() and np.isfinite(R).all() and np.isfinite(P).all() and np.isfinite(D).all()):
        raise CameraError("K, D, R or P contains NaN or infinity; calibrate the camera again")
    if K[0, 0] == 0 or K[1, 1] == 0:
        raise CameraError(
            "K is zero, which means uncalibrated; calibrate the camera, or set hfov_deg to assume a focal length"
        )
    check_intrinsics("K", K, info.width, info.height)
    if np.any(D) and not info.distortion_model:
        raise CameraError(f"D is set but distortion_model is empty; name one of {_known_models()}")
    model = str(info.distortion_model) if np.any(D) or info.distortion_model == EQUIDISTANT else PINHOLE
    if model not in COEFFICIENT_COUNTS:
        raise CameraError(f"distortion_model '{info.distortion_model}' is unknown; use one of {_known_models()}")
    if model == PINHOLE:
        D = np.zeros(0)
    elif len(D) not in COEFFICIENT_COUNTS[model]:
        counts = " or ".join(map(str, COEFFICIENT_COUNTS[model]))
        raise CameraError(f"{model} takes {counts} coefficients but D has {len(D)}; correct D or distortion_model")
    # Drivers leave R and P zero when they know only K.
    R = R if np.any(R) else np.eye(3)
    if np.abs(R).max() > 2 or not np.allclose(R @ R.T, np.eye(3), atol=1e-3) or np.linalg.det(R) < 0:
        raise CameraError("R is not a rotation; set it to identity for a single camera")
    has_projection = P[0, 0] != 0 or P[1, 1] != 0
    if has_projection:
        check_intrinsics("P", P, info.width, info.height)
    return Camera(int(info.width), int(info.height), K, model, D, R, P if has_projection else None)


def check_intrinsics(name: str, matrix: NDArray[np.float64], width: int, height: int) -> None:
    """Raise CameraError unless `matrix`, K or the left part of P, [3, 3], can be that of a width × height image.

    name: K or P, for the sentence.
    """
    remedy = "calibrate the camera again" + (", or leave P zero" if name == "P" else "")
    if not np.array_equal(matrix[2], [0, 0, 1]):
        raise CameraError(f"the last row of {name} isn't 0 0 1; {remedy}")
    if matrix[1, 0] != 0:
        raise CameraError(f"the second row of {name} begins with {matrix[1, 0]:g}, which must be 0; {remedy}")
    for focal in (matrix[0, 0], matrix[1, 1]):
        if not MIN_FOCAL <= focal / max(width, height) <= MAX_FOCAL:
            raise CameraError(
                f"{name} has a focal length of {focal:g} px, impossible for a {width}x{height} image; {remedy}"
            )
    if abs(matrix[0, 1]) > matrix[0, 0]:
        raise CameraError(f"{name} has a skew of {matrix[0, 1]:g}, more than its focal length; {remedy}")
    cx, cy = matrix[:2, 2]
    if not (MIN_CENTRE <= cx / width <= MAX_CENTRE and MIN_CENTRE <= cy / height <= MAX_CENTRE):
        raise CameraError(
            f"{name} has its principal point at {cx:g}, {cy:g}, far outside the {width}x{height} image; {remedy}"
        )


def _known_models() -> str:
    return ", ".join(name for name in COEFFICIENT_COUNTS if name)
