"""Light that leaves the scope unevenly: a beam hardly wider than the view, more to one side, or wider along one axis.

Every scope has its own light guides and lenses before them. A renderer's beam is wide and round about the optical axis,
and a network that has seen no other takes a real one's for relief: of a real colonoscope's clip half of the error was
one smooth field (x, y, xy, x² - y²) that stayed the same from frame to frame. In seven clips of laparoscopes of 50 to
60 degrees the light at the left and right rims is e^-0.2 to e^-2.3 of the middle's, in the median e^-1.3, once distance
is taken off.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Standard deviations at strength 1, of log light at half the picture's width from the principal point.
TILT, STRETCH = 0.4, 0.3
# The most that log light falls from there to half the picture's width, in views as narrow as NARROW or narrower (half
# the width in focal lengths on the stereographic plane: 62 degrees); wider ones are lit by wider beams.
MOST_FALLOFF, NARROW = 2.4, 0.55
# Nothing is lit more or less than this for it, log light.
MOST = 5.0


@dataclass(frozen=True)
class UnevenLight:
    """Log light x tilt_x + y tilt_y + (x² - y²) stretch + x y shear - (x² + y²) falloff.

    x, y: from the principal point, in halves of the picture's width. falloff: in narrow views, less in wide ones.
    """

    tilt_x: float
    tilt_y: float
    stretch: float
    shear: float
    falloff: float

    def gain(self, K: NDArray[np.float64], height: int, width: int) -> NDArray[np.float32]:
        """What linear light is multiplied by, float32 [H, W]. K: stereographic."""
        half = width / 2
        falloff = self.falloff * min(1.0, NARROW * math.sqrt(K[0, 0] * K[1, 1]) / half)
        x = (np.arange(width) - K[0, 2]) / half
        y = ((np.arange(height) - K[1, 2]) / half)[:, None]
        log = self.tilt_x * x + self.tilt_y * y + self.stretch * (x * x - y * y) + self.shear * x * y
        return np.exp(np.clip(log - falloff * (x * x + y * y), -MOST, MOST)).astype(np.float32)


def draw_uneven_light(rng: np.random.Generator, strength: float) -> UnevenLight:
    """One scope's; strength 0 is even light."""
    tilt_x, tilt_y = rng.normal(0, TILT * strength, 2)
    stretch, shear = rng.normal(0, STRETCH * strength, 2)
    falloff = rng.uniform(0, MOST_FALLOFF * strength)
    return UnevenLight(float(tilt_x), float(tilt_y), float(stretch), float(2 * shear), float(falloff))
