"""Pixels that tell nothing about the tissue: too dark, saturated, or the lamp's own mirror image."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

# A highlight is white although the tissue around it is not: bright, little colour, brighter than its surroundings.
HIGHLIGHT_VALUE = 0.70
HIGHLIGHT_SATURATION = 0.25
HIGHLIGHT_CONTRAST = 1.35
# Highlights bleed into their neighbours through the lens and chroma subsampling.
HIGHLIGHT_HALO_PX = 2


@dataclass(frozen=True)
class Exposure:
    """Masks of a batch, bool [B, H, W]."""

    dark: Tensor
    saturated: Tensor
    specular: Tensor

    @property
    def good(self) -> Tensor:
        """Pixels whose colour and brightness can be believed."""
        return ~(self.dark | self.saturated | self.specular)


def judge_exposure(images: Tensor, dark_level: int, saturated_level: int) -> Exposure:
    """Find dark, saturated and specular pixels.

    images: float [B, 3, H, W], RGB in [0, 1]. Levels are of the brightest channel, in 0-255.
    """
    value = images.amax(1)
    least = images.amin(1)
    saturation = (value - least) / value.clamp_min(1e-6)
    radius = max(images.shape[-1] // 32, 3)
    surroundings = F.avg_pool2d(least[:, None], 2 * radius + 1, 1, radius, count_include_pad=False)[:, 0]
    specular = (value > HIGHLIGHT_VALUE) & (saturation < HIGHLIGHT_SATURATION)
    specular &= least > HIGHLIGHT_CONTRAST * surroundings
    return Exposure(
        dark=value <= dark_level / 255,
        saturated=value >= saturated_level / 255,
        specular=dilate(specular, HIGHLIGHT_HALO_PX),
    )


def dilate(mask: Tensor, radius: int) -> Tensor:
    """Grow a bool mask [B, H, W] by a square of the given radius in pixels."""
    size = 2 * radius + 1
    return F.max_pool2d(mask.to(torch.float32)[:, None], size, 1, radius)[:, 0] > 0
