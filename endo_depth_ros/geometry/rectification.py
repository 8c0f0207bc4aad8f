"""Raw images of one camera to a bounded pinhole image of the working size."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.geometry.camera import Camera, CameraError
from endo_depth_ros.geometry.projection import is_plausible, project
from endo_depth_ros.geometry.raw_sampler import RawSampler, shrink

EXTENT_SAMPLES = 501
NOTHING_SEEN = "its K, D, R and P show no part of the image; calibrate again, or leave R and P zero"


class Rectification:
    """Maps raw images of one camera onto a pinhole image of bounded field of view.

    camera: the pinhole of the output (D empty, R = I, P = K). inside: bool [h, w], pixels that the raw image really
    sees within the bound. The output has the raw aspect, is never larger than the raw image, and projects by
    the camera's P when it has one (as image_proc does), else by the longest focal length at which all of the raw image
    within the bound is in the output.
    """

    def __init__(self, raw: Camera, max_width: int, max_height: int, max_fov_deg: float) -> None:
        """Prepare for images of `raw`. Raises CameraError when the bound or the camera is impossible."""
        if not 0 < max_fov_deg < 180:
            raise CameraError(f"a rectified field of view of {max_fov_deg} degrees is impossible; give 0 to 180")
        self.raw = raw
        width, height = fit_size(raw, max_width, max_height)
        bound = math.tan(math.radians(max_fov_deg) / 2)
        self._sampler: RawSampler | None = None
        try:
            # Absurd calibrations overflow on their way to showing nothing.
            with np.errstate(all="ignore"):
                self._prepare(width, height, bound)
        except CameraError:
            raise
        except (ArithmeticError, ValueError, cv2.error) as error:
            raise CameraError(NOTHING_SEEN) from error
        if not self.inside.any():
            raise CameraError(NOTHING_SEEN)

    def _prepare(self, width: int, height: int, bound: float) -> None:
        raw = self.raw
        if not is_plausible(raw):
            raise CameraError(
                f"its {raw.distortion_model} coefficients D distort even the middle of the image beyond recognition; "
                "calibrate again"
            )
        K = raw.resized(width, height).K if raw.rectified else _choose_projection(raw, width, height, bound)
        self.camera = Camera(width, height, K, P=K, calibrated=raw.calibrated)
        rays = pixel_rays(self.camera)
        seen = np.ones((height, width), np.bool_)
        if not raw.rectified:
            self._sampler = RawSampler(raw, rays @ raw.R, math.sqrt(K[0, 0] * K[1, 1]))
            seen = self._sampler.seen
        self.inside: NDArray[np.bool_] = seen & (np.abs(rays[..., :2]) <= bound).all(axis=2)

    def rectify(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The rectified image, uint8 [h, w, 3], of a raw one [H, W, 3]; black where the raw image sees nothing.

        It is `image` itself when nothing has to change. Raises ValueError for images of another size.
        """
        if image.shape[:2] != (self.raw.height, self.raw.width):
            raise ValueError(
                f"the image is {image.shape[1]}x{image.shape[0]} but its camera {self.raw.width}x{self.raw.height}"
            )
        return np.asarray(self._warp(image), np.uint8)

    def warp_mask(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """A mask of the raw image, bool at any resolution, in the output, bool [h, w]; True = keep.

        A pixel is kept only where everything it is made of is kept, so the mask may shrink but never grows.
        """
        dropped = self._warp(1 - mask.astype(np.float32))
        return (dropped == 0) & self.inside

    def _warp(self, image: NDArray) -> NDArray:
        return shrink(image, self.camera) if self._sampler is None else self._sampler.sample(image)


def fit_size(camera: Camera, max_width: int, max_height: int) -> tuple[int, int]:
    """(width, height) with the camera's aspect that fits max_width x max_height and isn't larger than its image."""
    scale = min(1.0, max_width / camera.width, max_height / camera.height)
    return max(1, round(camera.width * scale)), max(1, round(camera.height * scale))


def pixel_rays(camera: Camera) -> NDArray[np.float64]:
    """Directions of the pixel centres of a pinhole image, [h, w, 3], z = 1."""
    u, v = np.meshgrid(np.arange(camera.width), np.arange(camera.height))
    rays = np.stack([u, v, np.ones_like(u)], axis=-1) @ np.linalg.inv(camera.K).T
    return np.asarray(rays / rays[..., 2:], np.float64)


def _choose_projection(raw: Camera, width: int, height: int, bound: float) -> NDArray[np.float64]:
    if raw.P is not None:
        P = raw.resized(width, height).P
        assert P is not None
        return P
    x_min, x_max, y_min, y_max = _visible_extent(raw, bound)
    f = min(width / (x_max - x_min), height / (y_max - y_min))
    cx = (width - 1) / 2 - f * (x_min + x_max) / 2
    cy = (height - 1) / 2 - f * (y_min + y_max) / 2
    return np.array([[f, 0, cx], [0, f, cy], [0, 0, 1.0]])


def _visible_extent(raw: Camera, bound: float) -> tuple[float, float, float, float]:
    """x_min, x_max, y_min, y_max on the rectified plane z = 1 of what the raw image sees within ±bound.

    Sampled evenly in angle, then widened by one sample. Raises CameraError when nothing is seen.
    """
    samples = np.tan(np.linspace(-math.atan(bound), math.atan(bound), EXTENT_SAMPLES))
    x, y = np.meshgrid(samples, samples)
    rays = np.stack([x, y, np.ones_like(x)], axis=-1).reshape(-1, 3)
    _, seen = project(raw, rays @ raw.R)
    rows, columns = np.nonzero(seen.reshape(x.shape))
    if not len(rows):
        raise CameraError(NOTHING_SEEN)
    return (*_widened(samples, columns), *_widened(samples, rows))


def _widened(samples: NDArray[np.float64], hits: NDArray[np.intp]) -> tuple[float, float]:
    return float(samples[max(hits.min() - 1, 0)]), float(samples[min(hits.max() + 1, len(samples) - 1)])
