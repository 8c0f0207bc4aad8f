"""Doubt about the relief of narrow views, which on real tissue is wrong by more than the network knows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from endo_depth_ros.depth.network import plane_places

# Every so many pixels across and down are enough to say what the image is like as a whole.
STRIDE = 4
# Log depth that is farther than this from the tissue's mean is an instrument or a lumen and counts ever less for it.
APART, ROUNDS = 0.4, 3
# Log depth that stands out by this keeps nearly all of it: 0.95 where the error is 0.175.
OUTSTANDING = 0.8
# Of squares of log depth, and of shares of pixels.
TINY = 1e-6


@dataclass(frozen=True)
class ReliefDoubt:
    """How wrong the relief of real tissue is beyond sigma, as a standard deviation of log depth.

    error: of views up to narrow_deg wide (as width_deg says); falls linearly to none at wide_deg.
    """

    error: float
    narrow_deg: float
    wide_deg: float

    def complaint(self) -> str:
        """What can't be meant, or ''."""
        if not 0 <= self.error <= 10:
            return f"error is {self.error} but must be from 0 to 10"
        if not 0 <= self.narrow_deg < self.wide_deg <= 360:
            return f"narrow_deg is {self.narrow_deg} and wide_deg {self.wide_deg} but 0 <= narrow_deg < wide_deg <= 360"
        return ""

    def of(self, width_deg: Tensor) -> Tensor:
        """The error of views of these widths, [B]."""
        return self.error * ((self.wide_deg - width_deg) / (self.wide_deg - self.narrow_deg)).clamp(0.0, 1.0)


NO_DOUBT = ReliefDoubt(error=0.0, narrow_deg=0.0, wide_deg=180.0)


def weigh_relief(
    log_depth: Tensor, sigma: Tensor, inside: Tensor, K: Tensor, doubt: ReliefDoubt
) -> tuple[Tensor, Tensor]:
    """Log depth and its standard deviation, [B, H, W], given that relief is wrong by the doubt's error E.

    inside: bool [B, H, W]. K: float32 [B, 3, 3] of these stereographic pixels. A pixel's distance x from the tissue's
    mean keeps the share k = P / (P + E²), P = S² + x⁴ / OUTSTANDING², where S is the tissue's spread: as if x were seen
    with the error E and likely to be of the size √P. A smooth bulge is flattened, an instrument stays in front. The
    variance grows by E² (P + E²) / (P + 2 E²), between half of E² where all looks flat and all of it.
    """
    if doubt.error == 0:
        return log_depth, sigma
    some, seen = log_depth[:, ::STRIDE, ::STRIDE], inside[:, ::STRIDE, ::STRIDE]
    mean, relief = tissue_spread(some, seen)
    E2 = doubt.of(width_deg(seen, strided(K)))[:, None, None].square()
    E2 = E2 * seen.to(E2.dtype).amax((1, 2), keepdim=True)  # none where nothing is inside
    x = log_depth - mean
    P = relief + (x.square() / OUTSTANDING).square() + TINY
    return mean + x * (P / (P + E2)), torch.sqrt(sigma.square() + E2 * (P + E2) / (P + 2 * E2))


def tissue_spread(log_depth: Tensor, inside: Tensor) -> tuple[Tensor, Tensor]:
    """Mean of log depth [B, H, W] and its variance about that, [B, 1, 1] each, of what lies together.

    An instrument that enters moves neither by much (weights of Geman and McClure 1985).
    """
    weight = inside.to(log_depth.dtype)
    values = torch.where(inside.bool(), log_depth, torch.zeros_like(log_depth))
    mean = average(values, weight)
    weights = weight
    for _ in range(ROUNDS):
        weights = weight / (1 + ((values - mean) / APART).square()).square()
        mean = average(values, weights)
    return mean, average((values - mean).square(), weights)


def width_deg(inside: Tensor, K: Tensor) -> Tensor:
    """How wide views are, degrees, [B]: as a disc whose directions are spread as those inside, bool [B, H, W].

    Root mean square distance from their middle on the stereographic plane; about the width of an image of 4 : 3.
    """
    height, width = inside.shape[-2:]
    weight, places = inside.to(K.dtype), plane_places(height, width, K)
    middle = torch.stack([average(places[:, axis], weight) for axis in range(2)], 1)
    spread = average((places - middle).square().sum(1), weight)[:, 0, 0]
    # A disc of radius R has the mean square R² / 2; a ray at angle t is 2 tan(t / 2) from the axis.
    return 4 * torch.atan(torch.sqrt(2 * spread) / 2) * (180 / math.pi)


def strided(K: Tensor) -> Tensor:
    """K of every STRIDE-th pixel, from the first."""
    return torch.cat([K[:, :2] / STRIDE, K[:, 2:]], 1)


def average(values: Tensor, weights: Tensor) -> Tensor:
    """The weighted mean of each image [B, H, W], [B, 1, 1]; of means, since float16 can't hold an image's sum."""
    return (values * weights).mean((1, 2), keepdim=True) / weights.mean((1, 2), keepdim=True).clamp(min=TINY)
