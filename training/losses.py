"""What the network is trained to make small; `log` depths are natural logs of metres, masks are boolean."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from endo_depth_ros.settings import setting

# Every second row and column is enough for a median.
MEDIAN_STRIDE = 2


@dataclass(frozen=True)
class LossSettings:
    """Weights of the terms, and their constants."""

    shape: float = setting(1.0, "weight of the error that is left when the image's scale is right", minimum=0.0)
    scale: float = setting(0.15, "weight of the image's scale error", minimum=0.0)
    gradient: float = setting(0.5, "weight of gradient matching", minimum=0.0)
    gradient_scales: int = setting(4, "scales of gradient matching", minimum=1, maximum=6)
    sigma: float = setting(0.1, "weight of the Laplace likelihood", minimum=0.0)
    temporal: float = setting(0.3, "weight of one scale for both images of a pair", minimum=0.0)


@dataclass(frozen=True)
class LossTerms:
    """Unweighted terms, scalars, and their weighted sum."""

    shape: Tensor
    scale: Tensor
    gradient: Tensor
    sigma: Tensor
    temporal: Tensor
    total: Tensor


def total_loss(
    log_depth: Tensor, log_b: Tensor, truth: Tensor, valid: Tensor, pair: Tensor, settings: LossSettings
) -> LossTerms:
    """All terms of a batch: maps [B, H, W], pair int64 [B]. Images without valid pixels do not count."""
    error = torch.where(valid, log_depth - truth, 0.0)
    shape, scale = shape_loss(error, valid), scale_loss(error, valid)
    gradient = gradient_loss(error, valid, settings.gradient_scales)
    sigma = laplace_loss(error, log_b, valid)
    temporal = temporal_loss(error, valid, pair)
    total = (
        settings.shape * shape
        + settings.scale * scale
        + settings.gradient * gradient
        + settings.sigma * sigma
        + settings.temporal * temporal
    )
    return LossTerms(shape, scale, gradient, sigma, temporal, total)


def shape_loss(error: Tensor, valid: Tensor) -> Tensor:
    """Mean |e - median e|, what AbsRel with the image's median scale is to first order (MiDaS, eq. 6, in log depth).

    error: of log depth, 0 where not valid. Absolute, not squared: edges that are a pixel off must not blur the rest.
    """
    left = torch.where(valid, error - _median(error, valid)[:, None, None], 0.0).abs()
    return _mean_of_images(left.sum((1, 2)) / valid.sum((1, 2)).clamp_min(1), valid)


def scale_loss(error: Tensor, valid: Tensor) -> Tensor:
    """Mean |E[e]|: the error of log depth as a whole, from which metres are learned."""
    return _mean_of_images((error.sum((1, 2)) / valid.sum((1, 2)).clamp_min(1)).abs(), valid)


def gradient_loss(error: Tensor, valid: Tensor, scales: int) -> Tensor:
    """Mean absolute gradient of the error at several scales (MiDaS, Ranftl et al. 2020, eq. 11), over scales too."""
    terms = []
    for scale in range(scales):
        e, m = error[:, :: 2**scale, :: 2**scale], valid[:, :: 2**scale, :: 2**scale]
        across, down = m[:, :, 1:] & m[:, :, :-1], m[:, 1:] & m[:, :-1]
        steps = ((e[:, :, 1:] - e[:, :, :-1]).abs() * across).sum((1, 2))
        steps = steps + ((e[:, 1:] - e[:, :-1]).abs() * down).sum((1, 2))
        terms.append(steps / m.sum((1, 2)).clamp_min(1))
    return _mean_of_images(torch.stack(terms).mean(0), valid)


def laplace_loss(error: Tensor, log_b: Tensor, valid: Tensor) -> Tensor:
    """Laplace likelihood |e| / b + log b of what is left of the error once the image's scale is right.

    Sigma is the uncertainty of depth given the scale, so the median error is taken off. The error is detached: the
    likelihood must not trade depth that is hard for a large sigma, it only teaches sigma.
    """
    left = (error - _median(error, valid)[:, None, None]).detach().abs()
    terms = torch.where(valid, left * torch.exp(-log_b) + log_b, 0.0)
    return _mean_of_images(terms.sum((1, 2)) / valid.sum((1, 2)).clamp_min(1), valid)


def temporal_loss(error: Tensor, valid: Tensor, pair: Tensor) -> Tensor:
    """Difference of log scale between the two images of each pair, which are neighbours in the batch.

    pair: int64 [B], the same for the two images and for no others, negative for single views.
    """
    scale = error.sum((1, 2)) / valid.sum((1, 2)).clamp_min(1)
    together = (pair[1:] == pair[:-1]) & (pair[1:] >= 0) & valid.any(2).any(1)[1:] & valid.any(2).any(1)[:-1]
    return ((scale[1:] - scale[:-1]).abs() * together).sum() / together.sum().clamp_min(1)


def _mean_of_images(terms: Tensor, valid: Tensor) -> Tensor:
    """Mean of [B] over the images that have valid pixels."""
    counted = valid.any(2).any(1)
    return torch.where(counted, terms, 0.0).sum() / counted.sum().clamp_min(1)


def _median(error: Tensor, valid: Tensor) -> Tensor:
    """Median of the valid errors of each image, [B]; 0 without any."""
    step = MEDIAN_STRIDE
    known = torch.where(valid, error.detach(), torch.nan)[:, ::step, ::step].flatten(1)
    return known.nanmedian(1).values.nan_to_num(0.0)
