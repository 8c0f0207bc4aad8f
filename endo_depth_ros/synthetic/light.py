"""Pictures of linear light as sensors and obstructions work on them."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray


def light_of(radiance: NDArray[Any]) -> NDArray[Any]:
    """A copy of radiance [H, W, 3] as float32 in which NaN, where nothing is seen, is dark."""
    return cv2.patchNaNs(np.array(radiance, np.float32, order="C"), 0)


def three_channels(plane: NDArray[Any]) -> NDArray[Any]:
    """The plane [H, W] three times, [H, W, 3]: OpenCV multiplies that far faster than NumPy broadcasts."""
    return cv2.merge([plane, plane, plane])


def blend(first: NDArray[Any], second: NDArray[Any], share: NDArray[Any]) -> NDArray[Any]:
    """Pictures [H, W, 3], of the second the share [H, W] in 0-1."""
    towards = cv2.multiply(cv2.subtract(second, first), three_channels(np.asarray(share, np.float32)))
    return cv2.add(first, towards, dst=towards)
