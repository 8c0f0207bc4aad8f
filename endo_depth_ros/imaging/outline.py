"""Outlines that endoscope images have: a box with corners cut off, met with a disc."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CORNERS = ((0, 1), (2, 1), (2, 3), (0, 3))  # indices into box, clockwise from the top left
NO_CUTS = ((0.0, 0.0),) * 4


@dataclass(frozen=True)
class Outline:
    """A box with corners cut off, met with a disc; pixels of an image of `size` (width, height), outer edge at 0.

    box: left, top, right, bottom. centre, radius: of the disc, (x, y) each; an infinite radius is no disc.
    cuts: legs (x, y) of the triangles missing at the corners, clockwise from the top left. dents: what share of the
    disc's radius is there, at angles evenly spaced from -pi, x towards y; empty where all of it is.
    """

    size: tuple[int, int]
    box: tuple[float, float, float, float]
    centre: tuple[float, float] = (0.0, 0.0)
    radius: tuple[float, float] = (math.inf, math.inf)
    cuts: tuple[tuple[float, float], ...] = NO_CUTS
    dents: tuple[float, ...] = ()

    @property
    def shape(self) -> str:
        """What people call it: disc, octagon, rectangle or none."""
        if math.isfinite(self.radius[0]):
            return "disc"
        if self.cuts != NO_CUTS:
            return "octagon"
        return "none" if self.box == (0, 0, *self.size) else "rectangle"

    def distance(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Signed distance of points to the outline, pixels, negative inside. The edges of the image are no outline."""
        far = np.full(np.shape(x), -math.inf)
        sides = (self.box[0] - x, self.box[1] - y, x - self.box[2], y - self.box[3])
        for side, at, limit in zip(sides, self.box, (0, 0, *self.size), strict=True):
            if at != limit:
                far = np.maximum(far, side)
        for (i, j), (leg_x, leg_y) in zip(CORNERS, self.cuts, strict=True):
            if leg_x > 0:
                depth = np.abs(x - self.box[i]) / leg_x + np.abs(y - self.box[j]) / leg_y
                far = np.maximum(far, (1 - depth) / math.hypot(1 / leg_x, 1 / leg_y))
        if math.isfinite(self.radius[0]):
            far = np.maximum(far, self._distance_to_disc(x, y))
        return far

    def _distance_to_disc(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        right, down = (x - self.centre[0]) / self.radius[0], (y - self.centre[1]) / self.radius[1]
        relative = np.hypot(right, down)
        if not self.dents:
            return (relative - 1) * min(self.radius)
        angles = np.linspace(-math.pi, math.pi, len(self.dents), endpoint=False)
        share = np.interp(np.arctan2(down, right), angles, self.dents, period=2 * math.pi)
        return (relative - share) * min(self.radius)
