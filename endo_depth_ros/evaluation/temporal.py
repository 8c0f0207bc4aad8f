"""Temporal alignment error: whether the depth of one frame, moved by the true camera, agrees with the next one's."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from functools import cached_property, partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.geometry.transforms import invert_transform
from endo_depth_ros.work_ahead import map_ahead

DepthMap = NDArray[np.floating]

# A moved point must lie this far in front of the camera, in the unit of depth.
NEAREST = 1e-6


class PixelConvention(str, Enum):
    """Where pixels stand when depth is carried from frame to frame.

    CENTRES: pixel (u, v) is the point (u, v) and takes what falls within half a pixel, as Video Depth Anything's
    evaluation and K of this project have it. HALF_PIXEL: EndoDAV's code, which lifts depth from (u + 0.5, v + 0.5) but
    rounds without taking the half off again; NumPy rounds halves to even, so that without motion pixels meet in pairs.
    """

    CENTRES = "centres"
    HALF_PIXEL = "half_pixel"


@dataclass(frozen=True, eq=False)
class PosedDepth:
    """Aligned depth of one frame.

    depth: float [H, W], NaN where there is none. valid: bool [H, W], where truth counts. K: [3, 3] of these pixels.
    T_world_camera: [4, 4], in the unit of depth.
    """

    depth: DepthMap
    valid: NDArray[np.bool_]
    K: NDArray[np.float64]
    T_world_camera: NDArray[np.float64]

    @cached_property
    def usable(self) -> DepthMap:
        """Depth where it is valid, positive and finite, else NaN; both neighbours of a frame share it."""
        with np.errstate(invalid="ignore"):
            return np.where(self.valid & (self.depth > 0) & (self.depth < np.inf), self.depth, np.nan)


@dataclass(frozen=True)
class TemporalErrors:
    """Mean over pairs of neighbouring frames and both directions.

    tae: 100 · AbsRel. tas: share within a factor of 1.25. pairs: those with a common pixel in both directions; without
    one a pair is left out. convention: how pixels were carried over.
    """

    tae: float
    tas: float
    pairs: int
    convention: PixelConvention


def temporal_errors(
    frames: Iterable[PosedDepth], convention: PixelConvention = PixelConvention.CENTRES
) -> TemporalErrors:
    """TAE and TAS of a sequence (Chen et al. 2025, Video Depth Anything, eq. 6; Zhou et al. 2025, EndoDAV)."""
    errors, scores = [], []
    for forth, back in map_ahead(partial(_both_ways, convention), pairwise(frames)):
        if math.isfinite(forth[0]) and math.isfinite(back[0]):
            errors.append((forth[0] + back[0]) / 2)
            scores.append((forth[1] + back[1]) / 2)
    if not errors:
        return TemporalErrors(math.nan, math.nan, 0, convention)
    return TemporalErrors(100 * float(np.mean(errors)), float(np.mean(scores)), len(errors), convention)


def _both_ways(
    convention: PixelConvention, pair: tuple[PosedDepth, PosedDepth]
) -> tuple[tuple[float, float], tuple[float, float]]:
    a, b = pair
    return pair_errors(a, b, convention), pair_errors(b, a, convention)


def pair_errors(a: PosedDepth, b: PosedDepth, convention: PixelConvention) -> tuple[float, float]:
    """AbsRel of a's depth carried into b against b's own, and the share within a factor of 1.25; NaN without a pixel.

    The denominator is b's own depth. Only valid pixels are carried and compared.
    """
    ratio = carry_depth(a, b, convention) / b.usable
    ratio = ratio[~np.isnan(ratio)]
    if not len(ratio):
        return math.nan, math.nan
    return float(np.mean(np.abs(ratio - 1))), float(np.mean(np.maximum(ratio, 1 / ratio) < 1.25))


def carry_depth(a: PosedDepth, b: PosedDepth, convention: PixelConvention) -> NDArray[np.float64]:
    """Depth of frame a as camera b sees it, float64 [H, W] of b, NaN where nothing falls.

    No z-buffer: of points that fall on one pixel the last in row order stays, as in both published evaluations.
    """
    shift = 0.5 if convention is PixelConvention.HALF_PIXEL else 0.0
    T_b_a = invert_transform(b.T_world_camera) @ a.T_world_camera
    # The whole image at once, K R inv(K) (u, v, 1) depth + K t, component by component: gathering points costs more.
    M, t = b.K @ T_b_a[:3, :3] @ np.linalg.inv(a.K), b.K @ T_b_a[:3, 3]
    (height_a, width_a), (height, width) = a.depth.shape, b.depth.shape
    u, v = np.arange(width_a) + shift, np.arange(height_a)[:, None] + shift
    with np.errstate(invalid="ignore", divide="ignore"):
        x, y, z = (_affine(m, u, v, a.usable, offset) for m, offset in zip(M, t, strict=True))
        columns, rows = np.rint(np.divide(x, z, out=x), out=x), np.rint(np.divide(y, z, out=y), out=y)
        inside = (z > NEAREST) & (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
        # What falls nowhere goes to a place behind the last pixel: picking out what falls somewhere costs more.
        places = np.where(inside, rows * width + columns, height * width).astype(np.intp)
    carried = np.full(height * width + 1, np.nan)
    carried[places.ravel()] = z.ravel()
    return carried[:-1].reshape(height, width)


def _affine(m: DepthMap, u: DepthMap, v: DepthMap, depth: DepthMap, offset: float) -> NDArray[np.float64]:
    """One row of the above: m (u, v, 1) depth + offset, float64 [H, W]. u: [W]. v: [H, 1]. m: [3]."""
    values = m[0] * u + (m[1] * v + m[2])
    values *= depth
    values += offset
    return np.asarray(values)
