"""Light that leaves the scope unevenly: more to one side than to the other, or wider along one axis.

Every scope has its own light guides and lenses before them. A renderer's beam is round about the optical axis, and a
network that has seen no other takes a real one's unevenness for relief: of a real colonoscope's clip half of the error
was one smooth field (x, y, xy, x² - y²) that stayed the same from frame to frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Standard deviations at strength 1, of log light per focal length from the principal point and per square of it.
TILT, STRETCH = 0.25, 0.3
# Nothing is lit more or less than this for it, log light.
MOST = 1.2


@dataclass(frozen=True)
class UnevenLight:
    """Log light x tilt_x + y tilt_y + (x² - y²) stretch + x y shear on the stereographic plane, in focal lengths."""

    tilt_x: float
    tilt_y: float
    stretch: float
    shear: float

    def gain(self, K: NDArray[np.float64], height: int, width: int) -> NDArray[np.float32]:
        """What linear light is multiplied by, float32 [H, W]."""
        x = (np.arange(width) - K[0, 2]) / K[0, 0]
        y = ((np.arange(height) - K[1, 2]) / K[1, 1])[:, None]
        log = self.tilt_x * x + self.tilt_y * y + self.stretch * (x * x - y * y) + self.shear * x * y
        return np.exp(np.clip(log, -MOST, MOST)).astype(np.float32)


def draw_uneven_light(rng: np.random.Generator, strength: float) -> UnevenLight:
    """One scope's; strength 0 is even light."""
    tilt_x, tilt_y = rng.normal(0, TILT * strength, 2)
    stretch, shear = rng.normal(0, STRETCH * strength, 2)
    return UnevenLight(float(tilt_x), float(tilt_y), float(stretch), float(2 * shear))
