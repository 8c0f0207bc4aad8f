"""Doubt about the relief of narrow views, which on real tissue is wrong by more than the network knows."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from endo_depth_ros.depth.network import plane_places

# Of log depth squared; an image of one depth has no relief at all.
TINY = 1e-12


@dataclass(frozen=True)
class ReliefDoubt:
    """How wrong the relief of real tissue is beyond sigma, as a standard deviation of log depth.

    error: of views up to narrow_deg wide; falls linearly to none at wide_deg. A view is as wide as the disc about the
    optical axis whose pixels lie as far from it, root mean square.
    """

    error: float = 0.0
    narrow_deg: float = 60.0
    wide_deg: float = 80.0

    def of(self, width_deg: Tensor) -> Tensor:
        """The error of views of these widths, [B]."""
        return self.error * ((self.wide_deg - width_deg) / (self.wide_deg - self.narrow_deg)).clamp(0.0, 1.0)


def weigh_relief(
    log_depth: Tensor, sigma: Tensor, inside: Tensor, K: Tensor, doubt: ReliefDoubt
) -> tuple[Tensor, Tensor]:
    """Log depth and its standard deviation, [B, H, W], given that relief is wrong by the doubt's error.

    inside: bool [B, H, W]. K: float32 [B, 3, 3] of these stereographic pixels. With the relief S, the standard
    deviation of the image's log depth about its mean m, as what is likely before looking, and a look that is wrong by
    an error E, depth is m + k (x - m) with a variance of k E², k = S² / (S² + E²): the posterior of a normal prior and
    a normal observation. What stands out clearly stays, what hardly does is flattened. sigma² is added as it is, so
    that no pixel gets surer.
    """
    if doubt.error == 0:
        return log_depth, sigma
    weight = inside.to(log_depth.dtype)
    pixels = weight.sum((1, 2), keepdim=True).clamp(min=1.0)
    mean = (weight * log_depth).sum((1, 2), keepdim=True) / pixels
    relief = (weight * (log_depth - mean).square()).sum((1, 2), keepdim=True) / pixels
    error = doubt.of(width_deg(inside, K))[:, None, None].square()
    share = (relief + TINY) / (relief + error + TINY)
    return mean + share * (log_depth - mean), torch.sqrt(sigma.square() + share * error)


def width_deg(inside: Tensor, K: Tensor) -> Tensor:
    """How wide views are, as of ReliefDoubt, in degrees, [B]; 0 where nothing is inside."""
    weight = inside.to(K.dtype)
    height, width = inside.shape[-2:]
    squares = plane_places(height, width, K).square().sum(1)
    spread = (weight * squares).sum((1, 2)) / weight.sum((1, 2)).clamp(min=1.0)
    # A disc of radius R has the mean square R² / 2; a ray at angle t is 2 tan(t / 2) from the axis.
    return torch.rad2deg(4 * torch.atan(torch.sqrt(2 * spread) / 2))
