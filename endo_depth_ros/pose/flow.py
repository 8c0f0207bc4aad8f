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
# Mean difference of grey levels between patches of evened-out pictures; of two that have nothing in common it is 45.
MAX_DIFFERENCE = 25.0


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
    there, found, difference = cv2.calcOpticalFlowPyrLK(
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
    alike = difference[:, 0] < MAX_DIFFERENCE
    limit = np.array([start.shape[1] - 1, start.shape[0] - 1])
    inside = ((ends >= 0) & (ends <= limit)).all(axis=1)
    return ends, (found[:, 0] == 1) & (returned[:, 0] == 1) & near & alike & inside
