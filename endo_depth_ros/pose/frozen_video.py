"""A video that stands still to the bit is a fault, not a steady hand: sensors have noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class FrozenVideo:
    """Counts identical images in a row."""

    def __init__(self, frames: int) -> None:
        """frames: so many identical images are a frozen video."""
        self._frames = frames
        self.reset()

    def reset(self) -> None:
        """Forget the last image."""
        self._last: NDArray[np.uint8] = np.zeros((0, 0, 3), np.uint8)
        self.count = 0

    def see(self, image: NDArray[np.uint8]) -> bool:
        """Whether this image, uint8 [H, W, 3], is one too many of the same."""
        self.count = self.count + 1 if np.array_equal(image, self._last) else 1
        if self.count == 1:
            self._last = image.copy()
        return self.count >= self._frames
