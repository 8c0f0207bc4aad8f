"""Depth as a colour picture for people: near is red, far is blue, and what isn't depth never looks like depth."""

from __future__ import annotations

import math
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

INVALID_RGB = (0, 0, 0)
TOO_NEAR_RGB = (255, 0, 255)
TOO_FAR_RGB = (128, 128, 128)
_INVALID, _TOO_NEAR, _TOO_FAR, _FARTHEST, _NEAREST = 0, 1, 2, 3, 255


class DepthRangeError(ValueError):
    """The range of depth to colour is empty or not positive; the text says what to give."""


def colorize_depth(depth: NDArray[np.float32], near: float, far: float) -> NDArray[np.uint8]:
    """Colours of a depth map, uint8 [H, W, 3] RGB: Turbo over log depth, so that equal ratios are equal steps.

    depth: float [H, W]; near, far: its unit, red and blue ends; finite depth beyond them takes the end's colour.
    NaN, zero and negative depth are black, too near (-inf) magenta, too far (+inf) grey (REP-117).
    Raises DepthRangeError unless 0 < near < far < inf.
    """
    if not (0 < near < far < math.inf):
        raise DepthRangeError(f"near is {near} and far is {far}; give 0 < near < far")
    return index_colors(_color_index(depth, near, far))


def index_colors(index: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """RGB [H, W, 3] of a picture of indices: 0 invalid, 1 too near, 2 too far, 3 (farthest) to 255 (nearest)."""
    return np.asarray(cv2.applyColorMap(np.ascontiguousarray(index), _palette()), np.uint8)


def _color_index(depth: NDArray[np.float32], near: float, far: float) -> NDArray[np.uint8]:
    gain = (_NEAREST - _FARTHEST) / math.log(near / far)
    with np.errstate(divide="ignore", invalid="ignore"):
        level = np.log(depth.astype(np.float32, copy=False))
        level *= np.float32(gain)
        level += np.float32(_FARTHEST - gain * math.log(far) + 0.5)
        np.clip(level, _FARTHEST, _NEAREST, out=level)
        usable = depth > 0
    # NaN has no uint8: it is replaced before the cast.
    np.copyto(level, _INVALID, where=~usable)
    np.copyto(level, _TOO_FAR, where=np.equal(depth, np.inf))
    np.copyto(level, _TOO_NEAR, where=np.equal(depth, -np.inf))
    return level.astype(np.uint8)


@lru_cache(maxsize=1)
def _palette() -> NDArray[np.uint8]:
    """The 256 colours as RGB [256, 1, 3]."""
    ramp = np.linspace(0, 255, _NEAREST - _FARTHEST + 1).round().astype(np.uint8)
    colors = np.zeros((256, 1, 3), np.uint8)
    colors[_FARTHEST:] = cv2.applyColorMap(ramp[:, None], cv2.COLORMAP_TURBO)[..., ::-1]
    colors[[_INVALID, _TOO_NEAR, _TOO_FAR], 0] = INVALID_RGB, TOO_NEAR_RGB, TOO_FAR_RGB
    return colors
