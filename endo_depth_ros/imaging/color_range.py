"""The near and far end of a depth picture's colours, steady over a video."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

EMPTY_RANGE = (0.01, 0.1)
# Share of the way to the current frame's range: colours settle within a second at 30 Hz without flickering.
GAIN = 0.1


class ColorRange:
    """Follows the bulk of the depth of a video."""

    def __init__(self) -> None:
        self._log_ends: NDArray[np.float64] | None = None

    def update(self, depth: NDArray[np.float32]) -> tuple[float, float]:
        """Near and far end for this frame, in the unit of depth [H, W]; only finite depth counts."""
        sample = depth[::4, ::4]
        sample = sample[np.isfinite(sample) & (sample > 0)]
        if sample.size >= 2:
            ends = np.log(np.percentile(sample, (2, 98)))
            self._log_ends = ends if self._log_ends is None else self._log_ends + GAIN * (ends - self._log_ends)
        if self._log_ends is None:
            return EMPTY_RANGE
        near, far = np.exp(self._log_ends)
        return float(near), float(max(far, 1.01 * near))
