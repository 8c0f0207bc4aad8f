"""The stereographic image that depth models look at, and the way of their maps to the rectified pinhole image."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.geometry.camera import STEREOGRAPHIC, Camera, CameraError
from endo_depth_ros.geometry.raw_sampler import RawSampler, fixed_point_maps
from endo_depth_ros.geometry.rectification import NOTHING_SEEN, Rectification, pixel_rays
from endo_depth_ros.geometry.stereographic import plane_points, plane_rays

# Depth that interpolation moves by more than this share lies between surfaces, where nothing is.
EDGE = 0.02
# A rectified pixel on the rim may have its place up to a pixel beside those that are seen.
RIM_PX = 2.0


class ModelView:
    """Raw images of one camera as models see them: all that a Rectification of it shows, and no pixel more than that.

    camera: stereographic, square pixels, about the rectified optical axis. inside: bool [h, w], pixels that the raw
    image really sees.
    """

    def __init__(self, rectification: Rectification, size_of: Callable[[int, int], tuple[int, int]]) -> None:
        """size_of: width and height within which an image of a given width and height is looked at.

        Raises CameraError for a calibration that shows nothing.
        """
        try:
            with np.errstate(all="ignore"):
                self._prepare(rectification, size_of)
        except (ArithmeticError, ValueError, cv2.error) as error:
            raise CameraError(NOTHING_SEEN) from error

    def _prepare(self, rectification: Rectification, size_of: Callable[[int, int], tuple[int, int]]) -> None:
        raw = rectification.raw
        points = plane_points(pixel_rays(rectification.camera))
        shown = points[rectification.inside]
        low, extent = shown.min(0), np.maximum(np.ptp(shown, axis=0), 1e-6)
        full = math.sqrt(raw.K[0, 0] * raw.K[1, 1])
        bounds = np.array(size_of(*(math.ceil(side) + 1 for side in full * extent)))
        focal = min(full, *((np.maximum(bounds, 2) - 1) / extent))
        width, height = (math.ceil(side - 1e-6) + 1 for side in focal * extent)
        K = np.array([[focal, 0, -focal * low[0]], [0, focal, -focal * low[1]], [0, 0, 1.0]])
        self.camera = Camera(width, height, K, STEREOGRAPHIC, calibrated=raw.calibrated)
        v, u = np.mgrid[:height, :width]
        rays = plane_rays(np.stack([u, v], axis=-1) / focal + low)
        self._sampler = RawSampler(raw, rays @ raw.R, focal)
        self.inside = self._sampler.seen
        self._maps = fixed_point_maps((points - low) * focal, rectification.inside, self.camera)

    def look(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The stereographic image, uint8 [h, w, 3], of a raw one; black where the raw image sees nothing."""
        return np.asarray(self._sampler.sample(image), np.uint8)

    def look_at_mask(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """A mask of the raw image, bool at any resolution, bool [h, w]; kept where half of what is seen is kept."""
        return (self._sampler.sample(mask.astype(np.float32)) >= 0.5) & self.inside

    def rectify_depth(
        self, depth: NDArray[np.float32], sigma: NDArray[np.float32], rim: Rim
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Depth and its standard deviation, [h, w] with NaN, in the rectified image, float32 [H, W] with NaN.

        Interpolated within surfaces; at their edges and beside NaN the nearest pixel's. rim: of the mask within which
        there is depth.
        """
        depth, sigma = rim.widen(depth), rim.widen(sigma)
        nearest, between = self._warp(depth, cv2.INTER_NEAREST), self._warp(depth, cv2.INTER_LINEAR)
        with np.errstate(invalid="ignore"):
            smooth = np.abs(between - nearest) < EDGE * nearest
        return np.where(smooth, between, nearest), self._warp(sigma, cv2.INTER_NEAREST)

    def _warp(self, picture: NDArray[np.float32], how: int) -> NDArray[np.float32]:
        return np.asarray(
            cv2.remap(picture, *self._maps, how, borderMode=cv2.BORDER_CONSTANT, borderValue=math.nan), np.float32
        )


@dataclass(frozen=True, eq=False)
class Rim:
    """Pixels just outside a mask, and the nearest one inside for each of them; flat indices, [N]."""

    outside: NDArray[np.intp]
    nearest: NDArray[np.intp]

    @classmethod
    def of(cls, mask: NDArray[np.bool_]) -> Rim:
        """The rim of a mask, bool [h, w]."""
        if mask.all() or not mask.any():
            return cls(np.zeros(0, np.intp), np.zeros(0, np.intp))
        distance, labels = cv2.distanceTransformWithLabels(
            (~mask).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
        )
        inside = np.flatnonzero(mask)
        pixel_of = np.zeros(int(np.max(labels)) + 1, np.intp)
        pixel_of[labels.ravel()[inside]] = inside
        outside = np.flatnonzero((distance > 0) & (distance <= RIM_PX))
        return cls(outside, pixel_of[labels.ravel()[outside]])

    def widen(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        """A copy of a picture [h, w] in which the rim shows what the nearest pixel inside shows."""
        wider = picture.copy()
        wider.ravel()[self.outside] = picture.ravel()[self.nearest]
        return wider
