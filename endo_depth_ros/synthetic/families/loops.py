"""Bodies along curves: loops of bowel, ducts, vessels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from endo_depth_ros.synthetic.families.centre_line import CentreLine


@dataclass(frozen=True, eq=False)
class Loop:
    """A body of round cross-section along a curve; radii [R] in metres, spread evenly over its length."""

    line: CentreLine
    radii: NDArray[np.float64]

    def __call__(self, points: Tensor) -> Tensor:
        s, _, _, distance = self.line.nearest(points)
        radii = torch.tensor(self.radii, dtype=points.dtype, device=points.device)
        position = (s / self.line.length * (len(radii) - 1)).clamp(0, len(radii) - 1)
        i = position.long().clamp_max(len(radii) - 2)
        return distance - torch.lerp(radii[i], radii[i + 1], position - i)


def draw_radii(
    rng: np.random.Generator, length: float, radius: float, uneven: float, wave: float
) -> NDArray[np.float64]:
    """Radii every 2 mm of a curve: about `radius`, with bulges of relative depth `uneven` every `wave` metres."""
    s = np.arange(0, length, 0.002)
    phase = np.cumsum(rng.uniform(0.6, 1.4, len(s))) * 0.002 / wave * np.pi
    return radius * (1 - uneven * np.abs(np.cos(phase)) ** 3 + 0.05 * np.sin(s / (3 * wave) + rng.uniform(0, 6)))
