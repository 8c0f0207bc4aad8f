"""The part of the frame that a scope lights up: discs, cut discs, octagons, rectangles, and the border around them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

UNLIMITED = math.inf


@dataclass(frozen=True)
class ScopeMask:
    """What limits the field of view: all lengths are in image heights, from the centre; UNLIMITED limits nothing.

    centre_x, centre_y: of the shape, from the image's centre. radius: of the disc. half_width, half_height: of the
    rectangle, rounding: radius of its corners, bend: by how much its edges curve outwards at one height from the
    centre, as those of undistorted video do. chamfer: |x| + |y| at the cut corners of an octagon.
    notch: length of the triangle that points inwards at the disc's rim, 0 for none; notch_deg: where, clockwise
    from the right. rim_px: width of the soft rim at 512 rows. border: video level 0-255 of the red, green and blue
    border, border_noise: its standard deviation.
    """

    centre_x: float = 0.0
    centre_y: float = 0.0
    radius: float = 0.485
    half_width: float = UNLIMITED
    half_height: float = UNLIMITED
    rounding: float = 0.0
    bend: float = 0.0
    chamfer: float = UNLIMITED
    notch: float = 0.0
    notch_deg: float = 0.0
    rim_px: float = 1.0
    border: tuple[float, float, float] = (0.0, 0.0, 0.0)
    border_noise: float = 1.2

    def filling(self, aspect: float, margin: float) -> ScopeMask:
        """The shape in the middle of an image, so large that `margin` image heights stay free; never smaller than now.

        aspect: width of the image over its height.
        """
        across, down = min(self.radius, self.half_width), min(self.radius, self.half_height)
        scale = max(1.0, min((0.5 - margin) / down, (0.5 * aspect - margin) / across))
        if scale == 1.0:
            return self
        return replace(
            self,
            centre_x=0.0,
            centre_y=0.0,
            radius=scale * self.radius,
            half_width=scale * self.half_width,
            half_height=scale * self.half_height,
            rounding=scale * self.rounding,
            bend=self.bend / scale,
            chamfer=scale * self.chamfer,
            notch=scale * self.notch,
        )

    def margin(self, width: int, height: int) -> NDArray[np.float32]:
        """Distance to the rim in image heights, positive inside, float32 [H, W]; approximate far from the rim."""
        x, y = self.offsets(width, height)
        across, down = np.abs(x), np.abs(y)
        margin = np.full((height, width), 4.0, np.float32)
        if self.radius < UNLIMITED:
            distance = np.sqrt(x * x + y * y)
            np.minimum(margin, self.radius - distance, out=margin)
        if min(self.half_width, self.half_height) < UNLIMITED:
            np.minimum(margin, self._rectangle_margin(across, down), out=margin)
        if self.chamfer < UNLIMITED:
            np.minimum(margin, (np.float32(self.chamfer) - across - down) * np.float32(math.sqrt(0.5)), out=margin)
        if self.notch > 0:
            np.minimum(margin, self._notch_margin(x, y), out=margin)
        return margin

    def offsets(self, width: int, height: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Pixel positions from the shape's centre in image heights: x float32 [1, W], y float32 [H, 1]."""
        columns, rows = _pixels(width, height)
        return columns - np.float32(self.centre_x), rows - np.float32(self.centre_y)

    def _rectangle_margin(self, across: NDArray[np.float32], down: NDArray[np.float32]) -> NDArray[np.float32]:
        beyond_x = across - np.float32(min(self.half_width, 9.0) - self.rounding) - np.float32(self.bend) * down**2
        beyond_y = down - np.float32(min(self.half_height, 9.0) - self.rounding) - np.float32(self.bend) * across**2
        inner = np.minimum(np.maximum(beyond_x, beyond_y), 0)
        if self.rounding == 0:
            return -np.maximum(beyond_x, beyond_y)
        corner = np.sqrt(np.maximum(beyond_x, 0) ** 2 + np.maximum(beyond_y, 0) ** 2)
        return np.asarray(np.float32(self.rounding) - corner - inner, np.float32)

    def _notch_margin(self, x: NDArray[np.float32], y: NDArray[np.float32]) -> NDArray[np.float32]:
        angle = math.radians(self.notch_deg)
        c, s = np.float32(math.cos(angle)), np.float32(math.sin(angle))
        before_tip = np.float32(min(self.radius, 9.0) - self.notch) - (c * x + s * y)
        beside = np.abs(c * y - s * x) + np.float32(0.5) * before_tip
        return np.maximum(before_tip, beside * np.float32(0.9))


@lru_cache(maxsize=8)
def _pixels(width: int, height: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    columns = (np.arange(width, dtype=np.float32) - (width - 1) / 2) / height
    rows = (np.arange(height, dtype=np.float32) - (height - 1) / 2) / height
    return columns[None].astype(np.float32), rows[:, None].astype(np.float32)


def draw_scope_mask(rng: np.random.Generator) -> ScopeMask:
    """A mask as varied as those of real scopes, for frames whose width is 1.1 to 1.8 heights."""
    shape = rng.choice(5, p=(0.28, 0.24, 0.14, 0.14, 0.20))
    limits = (_disc, _cut_disc, _octagon, _rectangle, _full_frame)[shape](rng)
    tint = rng.dirichlet((4, 4, 4)) * 3 * (rng.exponential(4.0) if rng.random() < 0.5 else 0.0)
    off_centre = np.clip(rng.normal(0, 0.02, 2), -0.06, 0.06)
    return ScopeMask(
        centre_x=float(off_centre[0]),
        centre_y=float(off_centre[1]),
        rim_px=float(rng.choice((0.5, 1.0, 2.0, 5.0), p=(0.3, 0.35, 0.25, 0.1))),
        border=(min(tint[0], 24.0), min(tint[1], 24.0), min(tint[2], 24.0)),
        border_noise=float(rng.choice((0.0, 0.5, 1.2, 2.5))),
        **limits,
    )


def _disc(rng: np.random.Generator) -> dict[str, float]:
    radius = rng.uniform(0.30, 0.5)
    return {"radius": radius, **_notch(rng, radius)}


def _cut_disc(rng: np.random.Generator) -> dict[str, float]:
    radius = rng.uniform(0.42, 0.72)
    cuts = {"half_height": radius * rng.uniform(0.62, 0.97), "bend": max(0.0, rng.normal(0, 0.06))}
    if rng.random() < 0.3:
        cuts["half_width"] = radius * rng.uniform(0.8, 0.97)
    return {"radius": radius, **cuts, **_notch(rng, radius)}


def _octagon(rng: np.random.Generator) -> dict[str, float]:
    half_height = rng.uniform(0.38, 0.5)
    half_width = half_height * rng.uniform(0.95, 1.25)
    chamfer = half_height + half_width - min(half_width, half_height) * rng.uniform(0.2, 0.62)
    return {"radius": UNLIMITED, "half_width": half_width, "half_height": half_height, "chamfer": chamfer}


def _rectangle(rng: np.random.Generator) -> dict[str, float]:
    half_height = rng.uniform(0.34, 0.5)
    half_width = half_height * rng.uniform(1.0, 1.5)
    rounding = half_height * float(rng.choice((0.0, rng.uniform(0.02, 0.2), rng.uniform(0.2, 0.6))))
    bend = max(0.0, rng.normal(0, 0.05))
    limits = {"radius": UNLIMITED, "half_width": half_width, "half_height": half_height}
    return {**limits, "rounding": rounding, "bend": bend}


def _full_frame(rng: np.random.Generator) -> dict[str, float]:
    return {"radius": UNLIMITED}


def _notch(rng: np.random.Generator, radius: float) -> dict[str, float]:
    if rng.random() > 0.3:
        return {}
    return {"notch": radius * rng.uniform(0.03, 0.09), "notch_deg": rng.uniform(0, 360)}
