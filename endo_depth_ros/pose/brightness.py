"""How the brightness of one image becomes that of another, once it is known which pixels belong together."""

from __future__ import annotations

import torch
from torch import Tensor

LEAST_DEVIATION = 0.01


def fit_brightness(first: Tensor, second: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Gain and offset [B] with which gain * second + offset is as bright and as rich in contrast as the first.

    first, second: [B, 3, N], colours of the same points. weight: [B, N]. Means and deviations are made equal: a
    regression of noisy images would give too small a gain. 1 and 0 where no point counts.
    """
    total = weight.sum(1).clamp_min(1e-6)
    grey_first, grey_second = first.mean(1), second.mean(1)
    mean_first, mean_second = (grey_first * weight).sum(1) / total, (grey_second * weight).sum(1) / total
    deviations = [
        (((grey - mean[:, None]).square() * weight).sum(1) / total).clamp_min(LEAST_DEVIATION**2).sqrt()
        for grey, mean in ((grey_first, mean_first), (grey_second, mean_second))
    ]
    gain = torch.where(weight.sum(1) > 0, deviations[0] / deviations[1], 1.0)
    return gain, mean_first - gain * mean_second
