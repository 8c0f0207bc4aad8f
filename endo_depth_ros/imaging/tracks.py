"""Corners followed from one frame to the next.

A scope's light moves with it, and so does shading: what is tracked on its slopes seems to move less than tissue does.
So the local mean is taken off first, which leaves texture. All is done at half size: faster, and with less noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

# Width of the local mean, as a share of the image width, and what is left of contrast after it is taken off.
SHADING, CONTRAST, MIDDLE = 1 / 21, 2.0, 128
CORNERS = 120
# Share of the strongest corner's strength; low, because tissue has little contrast and one highlight much.
QUALITY = 0.005
# Smallest distance between corners, as a share of the image width: it spreads them over the picture.
SPACING = 1 / 40
# In half-size pixels.
WINDOW_PX = (11, 11)
HALVINGS = 2
# Stop after 8 steps or one shorter than 0.02 pixels.
STOP = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 8, 0.02)
# Followed there and back, a corner must arrive where it started.
MAX_RETURN_ERROR_PX = 0.25


@dataclass(frozen=True)
class Tracks:
    """The same points in two frames: pixels (u, v), float32 [N, 2] each."""

    before: NDArray[np.float32]
    after: NDArray[np.float32]

    def __len__(self) -> int:
        """How many points."""
        return len(self.before)


def extract_texture(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What can be followed of an RGB image, uint8 [H, W, 3]: grey without shading, uint8 [H // 2, W // 2]."""
    width, height = max(1, image.shape[1] // 2), max(1, image.shape[0] // 2)
    even = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[: 2 * height, : 2 * width]
    grey = cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA)
    side = 2 * round(SHADING * width / 2) + 1
    texture = cv2.addWeighted(grey, CONTRAST, cv2.blur(grey, (side, side)), -CONTRAST, MIDDLE)
    return np.asarray(texture, np.uint8)


def follow_corners(before: NDArray[np.uint8], after: NDArray[np.uint8], where: NDArray[np.bool_]) -> Tracks:
    """Corners of the texture `before` that lie in `where`, bool of the texture's shape, and are found in `after`.

    Pyramidal Lucas-Kanade forwards and backwards; cut, blur and occlusion show as few tracks. The tracks are in pixels
    of the full-size images.
    """
    corners = find_corners(before, where)
    if len(corners) == 0:
        return Tracks(corners, corners)
    found, forwards = _follow(before, after, corners)
    returned, backwards = _follow(after, before, found)
    good = forwards & backwards & (np.abs(returned - corners).max(axis=1) < MAX_RETURN_ERROR_PX)
    return Tracks(to_full_size(corners[good]), to_full_size(found[good]))


def find_corners(texture: NDArray[np.uint8], where: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Pixels (u, v) of the texture, float32 [N, 2], of its strongest corners in `where`."""
    wanted = np.ascontiguousarray(where).view(np.uint8)
    spacing = max(2.0, SPACING * texture.shape[1])
    corners = cv2.goodFeaturesToTrack(texture, CORNERS, QUALITY, spacing, mask=wanted)
    return np.zeros((0, 2), np.float32) if corners is None else np.asarray(corners[:, 0], np.float32)


def to_full_size(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Pixels (u, v) of a texture as those of the image; a pixel stands for the middle of four."""
    return 2 * pixels + np.float32(0.5)


def _follow(
    one: NDArray[np.uint8], other: NDArray[np.uint8], pixels: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Where the pixels of one image are in the other, [N, 2], and which of them were found, [N]."""
    start = pixels.copy()
    found, status, _ = cv2.calcOpticalFlowPyrLK(
        one, other, pixels, start, winSize=WINDOW_PX, maxLevel=HALVINGS, criteria=STOP
    )
    return np.asarray(found, np.float32), np.asarray(status)[:, 0] > 0
