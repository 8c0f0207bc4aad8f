"""Samples raw images of one camera along given rays: what every other view of them is made with."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.geometry.camera import Camera
from endo_depth_ros.geometry.projection import project

UNSEEN = -1000.0  # a raw coordinate that no interpolation reaches


class RawSampler:
    """Maps raw images onto a grid of rays. seen: bool [h, w], rays on which the raw image really sees something."""

    def __init__(self, raw: Camera, rays: NDArray[np.float64], focal_px: float) -> None:
        """rays: [h, w, 3] in the raw camera's optical frame, NaN for none. focal_px: of the grid about its middle."""
        self._reduced = _reduce(raw, focal_px)
        pixels, seen = project(self._reduced, rays.reshape(-1, 3))
        self.seen: NDArray[np.bool_] = seen.reshape(rays.shape[:2])
        self._maps = fixed_point_maps(pixels.reshape(*rays.shape[:2], 2), self.seen, self._reduced)

    def sample(self, image: NDArray) -> NDArray:
        """The raw image [H, W, ...] along the rays, [h, w, ...]; 0 where nothing is seen."""
        # Reduced by area first, so that the bilinear remap neither aliases nor reads the whole raw image.
        small = shrink(image, self._reduced)
        return cv2.remap(small, *self._maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)


def shrink(image: NDArray, camera: Camera) -> NDArray:
    """Average over pixels to the camera's size; exact halvings first, which OpenCV does several times faster."""
    size = (camera.width, camera.height)
    while _may_be_halved(image.shape[1], size[0]) and _may_be_halved(image.shape[0], size[1]):
        image = cv2.resize(image, (image.shape[1] // 2, image.shape[0] // 2), interpolation=cv2.INTER_AREA)
    return image if image.shape[1::-1] == size else cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def _may_be_halved(side: int, wanted: int) -> bool:
    return side % 2 == 0 and side >= 2 * wanted


def _reduce(raw: Camera, focal_px: float) -> Camera:
    """The raw camera divided by the power of two that brings its centre nearest to the scale of the grid."""
    ratio = math.sqrt(raw.K[0, 0] * raw.K[1, 1]) / focal_px
    factor = 2 ** max(0, round(math.log2(ratio)))
    return raw.resized(max(1, round(raw.width / factor)), max(1, round(raw.height / factor)))


def fixed_point_maps(
    pixels: NDArray[np.float64], seen: NDArray[np.bool_], source: Camera
) -> tuple[NDArray[np.int16], NDArray[np.uint16]]:
    """cv2.remap's fast maps of `pixels` [h, w, 2] in the image of `source`; unseen pixels become the border value."""
    # The outer half of an edge pixel has no neighbour to interpolate with.
    inner = np.clip(pixels, 0, [source.width - 1, source.height - 1])
    maps = np.where(seen[..., None], inner, UNSEEN).astype(np.float32)
    first, second = cv2.convertMaps(maps[..., 0].copy(), maps[..., 1].copy(), cv2.CV_16SC2)
    return np.asarray(first, np.int16), np.asarray(second, np.uint16)
