"""Crops, zooms, rolls and flips of a rendering that keep its depth and camera exact.

A roll about the optical axis, a flip and an isotropic zoom are similarities A of the image plane, the stereographic as
well as the pinhole's. With square pixels, K = [f I, c], A K R^-1 is again such a camera: focal length s f, principal
point A c, and depth z does not change (R is the roll, with the mirror where there is a flip; s the zoom).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from training.sequence_file import View

# Log depths of neighbours further apart than this belong to different surfaces, between which nothing is.
EDGE_LOG_DEPTH = 0.02
ASKEW = math.radians(12)  # standard deviation


@dataclass(frozen=True)
class TransformRanges:
    """What crops are drawn from.

    max_zoom: largest enlargement over the least one that fills the scope's view; flip, roll: whether they are drawn.
    upright: share of the views with a down that are shown with down below, give or take ASKEW.
    """

    max_zoom: float
    roll: bool
    flip: bool
    upright: float = 0.0


def draw_transform(
    rng: np.random.Generator,
    source: tuple[int, int],
    scope: NDArray[np.bool_],
    ranges: TransformRanges,
    down: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """A similarity A [3, 3] from source to target pixels, such that every pixel that the scope shows is rendered.

    source: width and height of the rendering. scope: field of view in the target, bool [H, W]. down: View.down.
    """
    # All is drawn before it is chosen from, so that what is drawn next is the same for both views of a pair.
    roll, askew, upright = rng.uniform(-math.pi, math.pi), rng.normal(0, ASKEW), rng.random() < ranges.upright
    mirror = -1.0 if ranges.flip and rng.random() < 0.5 else 1.0
    if not ranges.roll:
        roll = 0.0
    elif down is not None and upright:
        roll = math.atan2(mirror * down[0], down[1]) + askew
    turn = np.array([[math.cos(roll), -math.sin(roll)], [math.sin(roll), math.cos(roll)]]) @ np.diag([mirror, 1.0])
    low, high = _extent(scope, turn)
    room = np.array(source) - 1.0
    least = float(np.max((high - low) / room))
    # Mostly little: what a zoom leaves of a wide view is narrow and soft, and narrow views are rendered as such.
    scale = least * ranges.max_zoom ** rng.uniform(0.0, 1.0) ** 2
    # The source point that comes to the target's origin: anywhere where the scope's extent stays within the source.
    slack = room - (high - low) / scale
    anchor = rng.uniform(0, 1, 2) * slack - low / scale
    A = np.eye(3)
    A[:2, :2] = scale * turn
    A[:2, 2] = -A[:2, :2] @ anchor
    return A


def _extent(scope: NDArray[np.bool_], turn: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Corners of the box, along the source's axes, that holds the scope's pixels; [2] each, in target pixels."""
    rows = np.flatnonzero(scope.any(1))
    first, last = scope.argmax(1)[rows], scope.shape[1] - 1 - scope[:, ::-1].argmax(1)[rows]
    points = np.concatenate([np.stack([first, rows]), np.stack([last, rows])], 1)  # [2, N]
    turned = turn.T @ points
    return turned.min(1), turned.max(1)


def transform_camera(K: NDArray[np.float64], A: NDArray[np.float64]) -> NDArray[np.float64]:
    """K of the transformed view: focal length times the zoom, principal point moved along."""
    scale = math.sqrt(abs(np.linalg.det(A[:2, :2])))
    centre = A @ K[:, 2]
    return np.array([[scale * K[0, 0], 0, centre[0]], [0, scale * K[1, 1], centre[1]], [0, 0, 1.0]])


def transform_view(view: View, A: NDArray[np.float64], width: int, height: int) -> View:
    """The view seen through A, width x height pixels; depth is NaN where nothing was rendered."""
    size, M = (width, height), A[:2]
    radiance = np.asarray(_warp_linear(view.radiance, M, size), np.float32)
    nearest = np.asarray(_warp_nearest(view.log_depth, M, size, math.nan), np.float32)
    between = np.asarray(_warp_linear(view.log_depth, M, size), np.float32)
    smooth = np.abs(between - nearest) < EDGE_LOG_DEPTH
    instrument = _warp_nearest(view.instrument.astype(np.uint8), M, size, 0).astype(bool)
    return View(radiance, np.where(smooth, between, nearest), instrument, transform_camera(view.K, A))


def _warp_linear(picture: NDArray[Any], M: NDArray[np.float64], size: tuple[int, int]) -> NDArray[Any]:
    return cv2.warpAffine(picture, M, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _warp_nearest(picture: NDArray[Any], M: NDArray[np.float64], size: tuple[int, int], outside: float) -> NDArray[Any]:
    return cv2.warpAffine(
        picture, M, size, flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT, borderValue=outside
    )
