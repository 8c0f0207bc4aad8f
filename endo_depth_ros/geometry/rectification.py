"""Raw images of one camera to a bounded pinhole image of the working size."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.geometry.camera import Camera, CameraError
from endo_depth_ros.geometry.projection import is_plausible, project

EXTENT_SAMPLES = 501
NOTHING_SEEN = "its K, D, R and P show no part of the image; calibrate again, or leave R and P zero"
UNSEEN = -1000.0  # a raw coordinate that no interpolation reaches


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
        self._maps: tuple[NDArray[np.int16], NDArray[np.uint16]] | None = None
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
            self._reduced = _reduce(raw, K)
            pixels, seen_rays = project(self._reduced, rays.reshape(-1, 3) @ raw.R)
            seen = seen_rays.reshape(height, width)
            self._maps = _fixed_point_maps(pixels.reshape(height, width, 2), seen, self._reduced)
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
        if self._maps is None:
            return _shrink(image, self.camera)
        # Reduced by area first, so that the bilinear remap neither aliases nor reads the whole raw image.
        return cv2.remap(_shrink(image, self._reduced), *self._maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)


def fit_size(camera: Camera, max_width: int, max_height: int) -> tuple[int, int]:
    """(width, height) with the camera's aspect that fits max_width x max_height and isn't larger than its image."""
    scale = min(1.0, max_width / camera.width, max_height / camera.height)
    return max(1, round(camera.width * scale)), max(1, round(camera.height * scale))


def pixel_rays(camera: Camera) -> NDArray[np.float64]:
    """Directions of the pixel centres of a pinhole image, [h, w, 3], z = 1."""
    u, v = np.meshgrid(np.arange(camera.width), np.arange(camera.height))
    rays = np.stack([u, v, np.ones_like(u)], axis=-1) @ np.linalg.inv(camera.K).T
    return np.asarray(rays / rays[..., 2:], np.float64)


def _shrink(image: NDArray, camera: Camera) -> NDArray:
    """Average over pixels to the camera's size; exact halvings first, which OpenCV does several times faster."""
    size = (camera.width, camera.height)
    while _may_be_halved(image.shape[1], size[0]) and _may_be_halved(image.shape[0], size[1]):
        image = cv2.resize(image, (image.shape[1] // 2, image.shape[0] // 2), interpolation=cv2.INTER_AREA)
    return image if image.shape[1::-1] == size else cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def _may_be_halved(side: int, wanted: int) -> bool:
    return side % 2 == 0 and side >= 2 * wanted


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


def _reduce(raw: Camera, K: NDArray[np.float64]) -> Camera:
    """The raw camera divided by the power of two that brings its centre nearest to the scale of the output."""
    ratio = math.sqrt(raw.K[0, 0] * raw.K[1, 1] / (K[0, 0] * K[1, 1]))
    factor = 2 ** max(0, round(math.log2(ratio)))
    return raw.resized(max(1, round(raw.width / factor)), max(1, round(raw.height / factor)))


def _fixed_point_maps(
    pixels: NDArray[np.float64], seen: NDArray[np.bool_], source: Camera
) -> tuple[NDArray[np.int16], NDArray[np.uint16]]:
    """cv2.remap's fast maps of `pixels` [h, w, 2] in the image of `source`; unseen pixels become the border value."""
    # The outer half of an edge pixel has no neighbour to interpolate with.
    inner = np.clip(pixels, 0, [source.width - 1, source.height - 1])
    maps = np.where(seen[..., None], inner, UNSEEN).astype(np.float32)
    first, second = cv2.convertMaps(maps[..., 0].copy(), maps[..., 1].copy(), cv2.CV_16SC2)
    return np.asarray(first, np.int16), np.asarray(second, np.uint16)
