"""What the motion network is trained to make small."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from endo_depth_ros.pose.motion_network import (
    COARSE,
    FINE,
    Grid,
    MotionAnswer,
    Stage,
    median_log_depth,
    sample_at,
    with_unit,
)
from endo_depth_ros.pose.rigid_fit import inverse, move, project
from endo_depth_ros.settings import setting
from training.motion.samples import MotionSample

SSIM_SHARE = 0.85
C1, C2 = 0.01**2, 0.03**2
OCCLUDED_LOG_DEPTH = 0.15
LINEAR_FROM_PX = 1.0


@dataclass(frozen=True)
class MotionLossSettings:
    """Weights of the terms."""

    search: float = setting(0.2, "weight of finding the right cell", minimum=0.0)
    match: float = setting(0.3, "weight of where points went", minimum=0.0)
    motion: float = setting(0.5, "weight of where the motion puts points", minimum=0.0)
    sigma: float = setting(0.1, "weight of the Laplace likelihood", minimum=0.0)
    photometric: float = setting(1.0, "weight of how unlike the images are, one seen from where the other is")


@dataclass(frozen=True)
class MotionLossTerms:
    """Unweighted terms, scalars, and their weighted sum; the first four of pairs with a known motion."""

    search: Tensor
    match: Tensor
    motion: Tensor
    sigma: Tensor
    photometric: Tensor
    total: Tensor


def motion_loss(answer: MotionAnswer, sample: MotionSample, settings: MotionLossSettings) -> MotionLossTerms:
    """All terms of a batch."""
    truth = Truth.of(sample)
    stages = ((answer.coarse, COARSE), *((stage, FINE) for stage in answer.fine))
    scored = [stage_loss(stage, truth, stride) for stage, stride in stages]
    match, motion, sigma = (torch.stack(terms).mean() for terms in zip(*scored, strict=True))
    search = search_loss(answer.scores, truth)
    photometric = photometric_loss(answer, sample)
    total = (
        settings.search * search
        + settings.match * match
        + settings.motion * motion
        + settings.sigma * sigma
        + settings.photometric * photometric
    )
    return MotionLossTerms(search, match, motion, sigma, photometric, total)


@dataclass(frozen=True)
class Truth:
    """T: T_second_first, [B, 4, 4]; lengths are medians of the given depth.

    true_log, given_log, second_log: log depth [B, H, W], the first image's true and given one, the second's. rigid:
    [B, H, W], what doesn't move by itself. inside, known: [B, 2, H, W]. posed: [B], whether T is known. K: [B, 3, 3].
    """

    T: Tensor
    true_log: Tensor
    given_log: Tensor
    second_log: Tensor
    rigid: Tensor
    inside: Tensor
    known: Tensor
    posed: Tensor
    K: Tensor

    @staticmethod
    def of(sample: MotionSample) -> Truth:
        """Of a batch; lengths in medians of the given depth, as the network has them."""
        unit = median_log_depth(sample.given_log_depth[:, 0], sample.inside[:, 0])
        T = with_unit(inverse(sample.T_first_second), torch.exp(-unit))
        relative = (sample.log_depth - unit[:, None, None, None]).unbind(1)
        return Truth(
            T,
            relative[0],
            sample.given_log_depth[:, 0] - unit[:, None, None],
            relative[1],
            sample.rigid[:, 0],
            sample.inside,
            sample.known,
            sample.posed,
            sample.K,
        )

    def grid(self, log_depth: Tensor, stride: int) -> Grid:
        """Cells at a depth [B, H, W]."""
        inside = torch.stack([self.inside[:, 0] & self.known[:, 0], self.inside[:, 1]], 1)
        return Grid.of(log_depth, inside, self.K, stride)

    def counts(self, stride: int) -> Tensor:
        """Whether the motion of cells [B, N] is known."""
        counted = self.inside[:, 0] & self.known[:, 0] & self.rigid & self.posed[:, None, None]
        return counted[:, ::stride, ::stride].flatten(1)


def stage_loss(stage: Stage, truth: Truth, stride: int) -> tuple[Tensor, Tensor, Tensor]:
    """Errors of where points went and of where the motion puts them, pixels; and the likelihood of the former."""
    exact, given = truth.grid(truth.true_log, stride), truth.grid(truth.given_log, stride)
    there, z = _true_pixels(exact, truth.T)
    counts, seen = truth.counts(stride), find_visible(there, z, truth)
    error = (stage.pixels - there).norm(dim=-1)
    match = _mean(_bounded(error), counts & seen)
    put = project(move(stage.T, exact.points), truth.K)
    motion = _mean(_bounded((put - there).norm(dim=-1)), counts)
    # The fit knows the given depth only, so its error is one of the match. Sigma is not to be bought with matches.
    apart = (stage.pixels.detach() - _true_pixels(given, truth.T)[0]).norm(dim=-1).clamp_max(100)
    sigma = _mean(apart * torch.exp(-stage.log_b) + 2 * stage.log_b, counts)
    return match, motion, sigma


def search_loss(scores: Tensor, truth: Truth) -> Tensor:
    """Cross entropy of the coarse cells [B, N, N] around the point where each one went."""
    grid = truth.grid(truth.true_log, COARSE)
    there, z = _true_pixels(grid, truth.T)
    counts = truth.counts(COARSE) & find_visible(there, z, truth)
    places = grid.places.flatten(0, 1)
    near = (1 - (there[:, :, None] - places).abs() / COARSE).clamp_min(0).prod(-1)  # bilinear
    near = near * grid.there.flatten(1)[:, None]
    near = near / near.sum(-1, keepdim=True).clamp_min(1e-6)
    return _mean(-(near * scores.log_softmax(-1)).sum(-1), counts)


def photometric_loss(answer: MotionAnswer, sample: MotionSample) -> Tensor:
    """How unlike the first image the second is, seen from where the motion puts the first camera; mean of what counts.

    0.85 (1 - SSIM) / 2 + 0.15 L1 (Godard et al. 2017) with the answer's gain and offset (Shao et al. 2022). The
    least of it and of what it is without any motion counts (Godard et al. 2019), and nothing that depth says is hidden
    (Bian et al. 2019).
    """
    images = halved(sample.images.float().flatten(0, 1) / 255).unflatten(0, sample.images.shape[:2])
    K = sample.K * torch.tensor([[0.5], [0.5], [1.0]], device=images.device)
    inside, given = sample.inside[:, :, ::2, ::2], sample.given_log_depth[:, 0, ::2, ::2]
    unit = median_log_depth(sample.given_log_depth[:, 0], sample.inside[:, 0])[:, None]
    grid = Grid.of(given - unit[:, :, None], inside, K, 1)
    points = move(answer.fine[-1].T, grid.points)
    pixels = project(points, K)
    shape = (len(images), 3, *given.shape[1:])
    seen, _ = sample_at(images[:, 1], pixels)
    gain, offset = answer.gain.detach()[:, None, None, None], answer.offset.detach()[:, None, None, None]
    warped = photometric_error(images[:, 0], gain * seen.view(shape) + offset)
    still = photometric_error(images[:, 0], gain * images[:, 1] + offset)
    second = torch.stack([inside[:, 1].float(), sample.log_depth[:, 1, ::2, ::2]], 1)
    there, within = sample_at(second, pixels)
    shown, log_there = there.unbind(1)
    apart = (log_there - unit - points[..., 2].clamp_min(1e-3).log()).abs()
    counts = inside[:, 0].flatten(1) & within & (shown > 0.99) & (apart < OCCLUDED_LOG_DEPTH)
    return _mean(torch.minimum(warped, still).flatten(1), counts)


def halved(images: Tensor) -> Tensor:
    """Images [B, 3, H, W] at half the size; pixel i lies where pixel 2 i was."""
    return F.avg_pool2d(images, 3, 2, 1, count_include_pad=False)


def photometric_error(a: Tensor, b: Tensor) -> Tensor:
    """[B, H, W] of images [B, 3, H, W] in [0, 1]."""
    return (SSIM_SHARE * (1 - similarity(a, b)) / 2 + (1 - SSIM_SHARE) * (a - b).abs()).mean(1)


def similarity(a: Tensor, b: Tensor) -> Tensor:
    """SSIM of 3 x 3 neighbourhoods, [B, 3, H, W] (Wang et al. 2004)."""
    a, b = F.pad(a, (1,) * 4, mode="reflect"), F.pad(b, (1,) * 4, mode="reflect")

    def mean(x: Tensor) -> Tensor:
        return F.avg_pool2d(x, 3, 1)

    mean_a, mean_b = mean(a), mean(b)
    variance_a, variance_b = mean(a * a) - mean_a**2, mean(b * b) - mean_b**2
    covariance = mean(a * b) - mean_a * mean_b
    ratio = (2 * mean_a * mean_b + C1) * (2 * covariance + C2)
    return (ratio / ((mean_a**2 + mean_b**2 + C1) * (variance_a + variance_b + C2))).clamp(-1, 1)


def find_visible(there: Tensor, z: Tensor, truth: Truth) -> Tensor:
    """Whether the second image shows points that are there, [B, N, 2], at depth z [B, N]."""
    height, width = truth.second_log.shape[1:]
    column, row = there.round().long().unbind(-1)
    within = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    index = row.clamp(0, height - 1) * width + column.clamp(0, width - 1)
    log_there = truth.second_log.flatten(1).gather(1, index)
    inside = (truth.inside[:, 1] & truth.known[:, 1]).flatten(1).gather(1, index)
    return within & inside & ((log_there - z.clamp_min(1e-3).log()).abs() < OCCLUDED_LOG_DEPTH)


def as_values(terms: MotionLossTerms) -> dict[str, Tensor]:
    """Terms by name, without gradients."""
    return {field.name: getattr(terms, field.name).detach() for field in dataclasses.fields(terms)}


def _true_pixels(grid: Grid, T: Tensor) -> tuple[Tensor, Tensor]:
    points = move(T, grid.points)
    return project(points, grid.K), points[..., 2]


def _bounded(error: Tensor) -> Tensor:
    """Pixels up to LINEAR_FROM_PX, then growing ever more slowly: what is lost is not to drown what is nearly right."""
    return torch.where(error < LINEAR_FROM_PX, error, 1 + 4 * torch.log1p((error.clamp_min(1) - 1) / 4))


def _mean(values: Tensor, counted: Tensor) -> Tensor:
    """Of values [B, N] where counted, over pairs with any."""
    count = counted.sum(1)
    each = torch.where(counted, values, 0.0).sum(1) / count.clamp_min(1)
    return each.sum() / (count > 0).sum().clamp_min(1)
