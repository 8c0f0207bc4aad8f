"""The stereographic image that depth models look at, and the way of their maps to the rectified pinhole image."""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.geometry.camera import STEREOGRAPHIC, Camera
from endo_depth_ros.geometry.projection import raw_pixel_rays
from endo_depth_ros.geometry.raw_sampler import RawSampler, fixed_point_maps
from endo_depth_ros.geometry.rectification import Rectification, pixel_rays
from endo_depth_ros.geometry.stereographic import plane_points

# Neighbours further apart than this share of their depth belong to different surfaces, between which nothing is.
EDGE = 0.02
ALMOST_ALL = 0.99


class ModelView:
    """Raw images of one camera as models see them: all that a Rectification of it shows, and no pixel more than that.

    camera: stereographic, square pixels, about the rectified optical axis. inside: bool [h, w], pixels that the raw
    image really sees.
    """

    def __init__(self, rectification: Rectification, size_of: Callable[[int, int], tuple[int, int]]) -> None:
        """size_of: width and height within which an image of a given width and height is looked at."""
        raw, rectified = rectification.raw, rectification.camera
        places = plane_points(pixel_rays(rectified))
        shown = places[rectification.inside]
        low, extent = shown.min(0), np.maximum(np.ptp(shown, axis=0), 1e-6)
        full = math.sqrt(raw.K[0, 0] * raw.K[1, 1])
        bounds = np.array(size_of(*(math.ceil(side) + 1 for side in full * extent)))
        focal = min(full, *((np.maximum(bounds, 2) - 1) / extent))
        width, height = (math.floor(side + 1e-6) + 1 for side in focal * extent)
        K = np.array([[focal, 0, -focal * low[0]], [0, focal, -focal * low[1]], [0, 0, 1.0]])
        self.camera = Camera(width, height, K, STEREOGRAPHIC, calibrated=raw.calibrated)
        # With a margin, for rectified pixels on the edge are beside the middle of one that isn't quite in the image.
        self._sampler = RawSampler(raw, raw_pixel_rays(self.camera) @ raw.R, focal, margin_px=1)
        self.inside = self._sampler.seen
        self._maps = fixed_point_maps(places * focal + K[:2, 2], rectification.inside, self.camera)

    def look(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The stereographic image, uint8 [h, w, 3], of a raw one; black where the raw image sees nothing."""
        return np.asarray(self._sampler.sample(image), np.uint8)

    def warp_mask(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """A mask of the raw image, bool at any resolution, in the stereographic one.

        A pixel is kept where any of what it is made of is, so that every rectified pixel of the mask has its place.
        """
        return (self._sampler.sample(1 - mask.astype(np.float32)) < ALMOST_ALL) & self.inside

    def rectify_depth(
        self, depth: NDArray[np.float32], sigma: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Depth and its standard deviation, [h, w] with NaN, in the rectified image, float32 [H, W] with NaN.

        Interpolated within surfaces; at their edges and beside NaN the nearest pixel's.
        """
        nearest, between = self._warp(depth, cv2.INTER_NEAREST), self._warp(depth, cv2.INTER_LINEAR)
        with np.errstate(invalid="ignore"):
            smooth = np.abs(between - nearest) < EDGE * nearest
        return np.where(smooth, between, nearest), self._warp(sigma, cv2.INTER_NEAREST)

    def _warp(self, picture: NDArray[np.float32], how: int) -> NDArray[np.float32]:
        return np.asarray(
            cv2.remap(picture, *self._maps, how, borderMode=cv2.BORDER_CONSTANT, borderValue=math.nan), np.float32
        )
