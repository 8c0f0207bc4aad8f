"""Temporal alignment error: whether the depth of one frame, moved by the true camera, agrees with the next one's."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.geometry.transforms import invert_transform, transform_points

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

    depth: NDArray[np.floating]
    valid: NDArray[np.bool_]
    K: NDArray[np.float64]
    T_world_camera: NDArray[np.float64]


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
    for a, b in pairwise(frames):
        forth, back = pair_errors(a, b, convention), pair_errors(b, a, convention)
        if math.isfinite(forth[0]) and math.isfinite(back[0]):
            errors.append((forth[0] + back[0]) / 2)
            scores.append((forth[1] + back[1]) / 2)
    if not errors:
        return TemporalErrors(math.nan, math.nan, 0, convention)
    return TemporalErrors(100 * float(np.mean(errors)), float(np.mean(scores)), len(errors), convention)


def pair_errors(a: PosedDepth, b: PosedDepth, convention: PixelConvention) -> tuple[float, float]:
    """AbsRel of a's depth carried into b against b's own, and the share within a factor of 1.25; NaN without a pixel.

    The denominator is b's own depth. Only valid pixels are carried and compared.
    """
    carried = carry_depth(a, b, convention)
    with np.errstate(invalid="ignore"):
        common = np.isfinite(carried) & b.valid & np.isfinite(b.depth) & (b.depth > 0)
    if not common.any():
        return math.nan, math.nan
    moved, own = carried[common], b.depth[common].astype(np.float64)
    ratio = np.maximum(moved / own, own / moved)
    return float(np.mean(np.abs(moved - own) / own)), float(np.mean(ratio < 1.25))


def carry_depth(a: PosedDepth, b: PosedDepth, convention: PixelConvention) -> NDArray[np.float64]:
    """Depth of frame a as camera b sees it, float64 [H, W] of b, NaN where nothing falls.

    No z-buffer: of points that fall on one pixel the last in row order stays, as in both published evaluations.
    """
    shift = 0.5 if convention is PixelConvention.HALF_PIXEL else 0.0
    with np.errstate(invalid="ignore"):
        rows, columns = np.nonzero(a.valid & np.isfinite(a.depth) & (a.depth > 0))
    depth = a.depth[rows, columns].astype(np.float64)
    pixels = np.stack([columns + shift, rows + shift, np.ones(len(rows))], axis=1)
    points_a = (pixels @ np.linalg.inv(a.K).T) * depth[:, None]
    points_b = transform_points(invert_transform(b.T_world_camera) @ a.T_world_camera, points_a)
    points_b = points_b[points_b[:, 2] > NEAREST]
    u, v = np.round((points_b @ b.K.T)[:, :2] / points_b[:, 2:]).T
    height, width = b.depth.shape
    inside = (u >= 0) & (u < width) & (v >= 0) & (v < height)
    carried = np.full((height, width), np.nan)
    carried[v[inside].astype(np.intp), u[inside].astype(np.intp)] = points_b[inside, 2]
    return carried
