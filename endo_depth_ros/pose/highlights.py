"""Where the lamp mirrors itself in wet tissue, however faintly: such light moves with the camera."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

# Width of the surroundings as a share of the image width.
SURROUNDINGS = 1 / 10
# A mirror image adds the lamp's white to the tissue's colour, at least so much of the surroundings' brightest channel.
LEAST_ADDED = 0.15
# Its saturation is less than this share of the tissue's. What is brighter as tissue has the tissue's colour.
MOST_COLOUR = 0.5
REDUCTION = 2
# Highlights bleed into their neighbours; in reduced pixels.
HALO = np.ones((5, 5), np.uint8)


def find_highlights(image: NDArray[np.uint8], tissue: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels of mirrored light and around it, bool [H, W], of an RGB image [H, W, 3] with `tissue`, bool [H, W]."""
    height, width = tissue.shape
    size = (max(width // REDUCTION, 1), max(height // REDUCTION, 1))
    seen = cv2.resize(tissue.view(np.uint8), size, interpolation=cv2.INTER_NEAREST).astype(np.float32)
    box = (2 * max(round(size[0] * SURROUNDINGS / 2), 2) + 1,) * 2
    share = np.maximum(cv2.blur(seen, box), 1e-3)
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    weak, _, strong = np.argsort(cv2.mean(small, seen.astype(np.uint8))[:3])
    channels = cv2.split(small.astype(np.float32))
    around = [cv2.blur(channel * seen, box) / share for channel in channels]
    added = [channel - mean for channel, mean in zip(channels, around, strict=True)]
    # 1 - weak / strong is saturation. It must be less in what is added; multiplied out, as nothing is divided then.
    tissue_colour, added_colour = around[strong] - around[weak], added[strong] - added[weak]
    white = added_colour * around[strong] < MOST_COLOUR * tissue_colour * added[strong]
    enough = cv2.min(cv2.min(added[0], added[1]), added[2]) > LEAST_ADDED * around[strong]
    wide = cv2.dilate((white & enough & (seen > 0)).astype(np.uint8), HALO)
    return np.asarray(cv2.resize(wide, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8).view(np.bool_)
