"""Following points from one image to another and back."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float32]
UNTIL_STILL = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 15, 0.02)
FLAGS = cv2.OPTFLOW_USE_INITIAL_FLOW
# The way back starts this far off, so that a point that doesn't move at all proves nothing.
NUDGE_PX = 1.5
# Least correlation of the patches. Patches of nothing but noise are found near where they are expected, and found back
# from there, but have little in common.
MIN_CORRELATION = 0.6


def follow(
    start: NDArray[np.uint8],
    end: NDArray[np.uint8],
    points: Points,
    guess: Points,
    window_px: int,
    levels: int,
    max_return_px: float,
) -> tuple[Points, NDArray[np.bool_]]:
    """Where `points` [N, 2] of `start` are in `end`, and bool [N]: found, and found back to where they came from.

    start, end: uint8 [H, W]. guess: [N, 2] in `end`. (Lucas and Kanade with pyramids, Bouguet 2001; forward-backward
    check of Kalal et al. 2010.)
    """
    if len(points) == 0:
        return points, np.zeros(0, bool)
    size, flags = (window_px, window_px), FLAGS
    there, found, _ = cv2.calcOpticalFlowPyrLK(
        start,
        end,
        points[:, None],
        guess[:, None].copy(),
        winSize=size,
        maxLevel=levels,
        criteria=UNTIL_STILL,
        flags=flags,
    )
    back, returned, _ = cv2.calcOpticalFlowPyrLK(
        end,
        start,
        there,
        points[:, None] + np.float32(NUDGE_PX),
        winSize=size,
        maxLevel=0,
        criteria=UNTIL_STILL,
        flags=flags,
    )
    ends = np.asarray(there[:, 0], np.float32)
    near = np.abs(back[:, 0] - points).max(axis=1) < max_return_px
    limit = np.array([start.shape[1] - 1, start.shape[0] - 1])
    inside = ((ends >= 0) & (ends <= limit)).all(axis=1)
    ok = (found[:, 0] == 1) & (returned[:, 0] == 1) & near & inside
    ok[ok] = correlate(start, points[ok], end, ends[ok], window_px) > MIN_CORRELATION
    return ends, ok


def correlate(
    start: NDArray[np.uint8], points: Points, end: NDArray[np.uint8], ends: Points, window_px: int
) -> NDArray[np.float32]:
    """Correlation [N] of patches around `points` [N, 2] of one image and `ends` [N, 2] of another, 0 where one is flat.

    (Zero-mean normalised cross-correlation.)
    """
    if len(points) == 0:
        return np.zeros(0, np.float32)  # which OpenCV's remap refuses
    first, second = _patches(start, points, window_px), _patches(end, ends, window_px)
    first -= first.mean(axis=1, keepdims=True)
    second -= second.mean(axis=1, keepdims=True)
    together = np.einsum("np,np->n", first, second)
    alone = np.einsum("np,np->n", first, first) * np.einsum("np,np->n", second, second)
    return np.asarray(together / np.sqrt(np.maximum(alone, 1.0)), np.float32)


def _patches(image: NDArray[np.uint8], points: Points, window_px: int) -> NDArray[np.float32]:
    """Square patches around points [N, 2], [N, window_px²], between pixels."""
    offsets = np.arange(window_px, dtype=np.float32) - window_px // 2
    shape = (len(points) * window_px, window_px)
    across = np.broadcast_to(points[:, 0, None, None] + offsets, (len(points), window_px, window_px))
    down = np.broadcast_to(points[:, 1, None, None] + offsets[:, None], (len(points), window_px, window_px))
    grid = np.ascontiguousarray(across.reshape(shape)), np.ascontiguousarray(down.reshape(shape))
    patches = cv2.remap(image, *grid, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(patches.reshape(len(points), -1), np.float32)
