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
    seen = cv2.resize(tissue.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    box = (2 * max(round(size[0] * SURROUNDINGS / 2), 2) + 1,) * 2
    share = np.maximum(cv2.blur(seen, box), 1e-3)
    mean = cv2.blur(small * seen[..., None], box) / share[..., None]
    order = np.argsort(mean[seen > 0].sum(axis=0)) if seen.any() else np.arange(3)
    weak, strong = order[0], order[-1]
    more = small - mean
    colour = 1 - mean[..., weak] / np.maximum(mean[..., strong], 1)
    white = more[..., strong] - more[..., weak] < MOST_COLOUR * colour * more[..., strong]
    added = white & (more.min(axis=2) > LEAST_ADDED * mean[..., strong]) & (seen > 0)
    wide = cv2.dilate(added.astype(np.uint8), HALO)
    return cv2.resize(wide, (width, height), interpolation=cv2.INTER_NEAREST).astype(bool)
