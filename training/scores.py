"""How good depth and sigma are on held-out renderings."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from training.dataset import Sample
from training.sequence_file import NO_PAIR

SAMPLED_PIXELS = 400


@dataclass(frozen=True, eq=False)
class ImageScore:
    """One image. Errors are relative to the truth.

    log_scale: log of the factor from prediction to truth (ratio of medians). abs_rel, delta1: after that factor;
    metric_abs_rel: without. within_1, within_2: share of pixels whose scaled error is below one and two sigmas.
    error, sigma: absolute error of log depth after scaling and its predicted standard deviation at a few pixels, [N].
    log_ratio: log of truth over prediction there, unscaled, [N].
    """

    family: str
    sequence: int
    pair: int
    log_scale: float
    abs_rel: float
    delta1: float
    metric_abs_rel: float
    within_1: float
    within_2: float
    error: NDArray[np.float32]
    sigma: NDArray[np.float32]
    log_ratio: NDArray[np.float32]


@dataclass(frozen=True)
class Score:
    """Means over images; one_scale_abs_rel: with one scale per sequence; flicker: of log scale between video frames.

    flicker is the standard deviation that one frame's log scale has, if neighbours are independent.
    metric_error: mean absolute log scale.
    """

    images: int
    abs_rel: float
    delta1: float
    metric_abs_rel: float
    one_scale_abs_rel: float
    flicker: float
    metric_error: float
    within_1: float
    within_2: float


def score_image(
    log_depth: NDArray[np.float32],
    log_b: NDArray[np.float32],
    truth: NDArray[np.float32],
    valid: NDArray[np.bool_],
    family: str,
    sequence: int,
    pair: int,
) -> ImageScore | None:
    """Score of one image, log depths [H, W]; None where it has no truth."""
    if not valid.any():
        return None
    predicted, true, sigma = log_depth[valid], truth[valid], math.sqrt(2) * np.exp(log_b[valid])
    log_scale = float(np.median(true) - np.median(predicted))
    log_ratio = true - predicted
    left = np.abs(log_ratio - log_scale)
    some = slice(None, None, max(1, len(left) // SAMPLED_PIXELS))
    return ImageScore(
        family=family,
        sequence=sequence,
        pair=pair,
        log_scale=log_scale,
        abs_rel=float(np.mean(np.abs(np.expm1(log_scale - log_ratio)))),
        delta1=float(np.mean(left < math.log(1.25))),
        metric_abs_rel=float(np.mean(np.abs(np.expm1(-log_ratio)))),
        within_1=float(np.mean(left < sigma)),
        within_2=float(np.mean(left < 2 * sigma)),
        error=left[some].astype(np.float32),
        sigma=sigma[some].astype(np.float32),
        log_ratio=log_ratio[some].astype(np.float32),
    )


def score_batch(batch: Sample, log_depth: Tensor, log_b: Tensor, families: tuple[str, ...]) -> list[ImageScore]:
    """Scores of the images that have truth."""
    maps = [values.cpu().numpy() for values in (log_depth, log_b, batch.log_depth, batch.valid)]
    labels = [values.tolist() for values in (batch.family, batch.sequence, batch.pair)]
    images = zip(*maps, *labels, strict=True)
    scores = [
        score_image(depth, b, truth, valid, families[family], sequence, pair)
        for depth, b, truth, valid, family, sequence, pair in images
    ]
    return [score for score in scores if score is not None]


def average(images: Sequence[ImageScore]) -> Score:
    """The mean score of images."""
    return Score(
        images=len(images),
        abs_rel=_mean(image.abs_rel for image in images),
        delta1=_mean(image.delta1 for image in images),
        metric_abs_rel=_mean(image.metric_abs_rel for image in images),
        one_scale_abs_rel=one_scale_error(images),
        flicker=pair_flicker(images),
        metric_error=_mean(abs(image.log_scale) for image in images),
        within_1=_mean(image.within_1 for image in images),
        within_2=_mean(image.within_2 for image in images),
    )


def by_family(images: Sequence[ImageScore]) -> dict[str, Score]:
    """The mean score of each family, in order of name."""
    groups: dict[str, list[ImageScore]] = defaultdict(list)
    for image in images:
        groups[image.family].append(image)
    return {family: average(groups[family]) for family in sorted(groups)}


def one_scale_error(images: Sequence[ImageScore]) -> float:
    """AbsRel at sampled pixels with one scale for each sequence, the median of its images' scales."""
    groups: dict[int, list[ImageScore]] = defaultdict(list)
    for image in images:
        groups[image.sequence].append(image)
    errors = []
    for group in groups.values():
        shared = float(np.median([image.log_scale for image in group]))
        errors += [float(np.mean(np.abs(np.expm1(shared - image.log_ratio)))) for image in group]
    return _mean(errors)


def pair_flicker(images: Sequence[ImageScore]) -> float:
    """Root mean square difference of log scale between the frames of video pairs, over the root of two."""
    pairs: dict[tuple[int, int], list[float]] = defaultdict(list)
    for image in images:
        if image.pair != NO_PAIR:
            pairs[image.sequence, image.pair].append(image.log_scale)
    steps = [scales[1] - scales[0] for scales in pairs.values() if len(scales) == 2]
    return math.sqrt(_mean(step * step for step in steps) / 2)


def coverage_by_decile(images: Sequence[ImageScore]) -> list[float]:
    """Share of errors below sigma within each tenth of the pixels, from the smallest sigma to the largest."""
    error, sigma = _pixels(images)
    order = np.argsort(sigma, kind="stable")
    inside = (error < sigma)[order]
    return [float(np.mean(part)) for part in np.array_split(inside, 10)]


def sparsification_gain(images: Sequence[ImageScore]) -> float:
    """How much of the way from random to perfect order the order of sigma goes, 1 is perfect, 0 is random.

    1 - AUSE(sigma) / AUSE(random), where AUSE is the area between the curve of the mean error that is left when the
    most uncertain pixels are taken away, and the curve of an oracle (Ilg et al. 2018).
    """
    error, sigma = _pixels(images)
    oracle = _sparsification(error, error)
    own = _sparsification(error, sigma) - oracle
    random = error.mean() - oracle
    return float(1 - own.mean() / max(float(random.mean()), 1e-12))


def sigma_factor(images: Sequence[ImageScore], wanted: float) -> float:
    """The factor on sigma with which the share `wanted` of errors is below one sigma."""
    error, sigma = _pixels(images)
    return float(np.quantile(error / sigma, wanted))


def scale_sigma(images: Sequence[ImageScore]) -> float:
    """Root mean square of the images' log scales: how far metres are off as a whole, one standard deviation."""
    return math.sqrt(_mean(image.log_scale**2 for image in images))


def _sparsification(error: NDArray[np.float64], uncertainty: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean error of the pixels that are left when the most uncertain 0, 1, ... 99 % are taken away, [100]."""
    rising = error[np.argsort(uncertainty, kind="stable")]
    means = np.cumsum(rising) / np.arange(1, len(rising) + 1)
    left = np.ceil(np.linspace(1.0, 0.01, 100) * len(rising)).astype(int)
    return means[np.maximum(left, 1) - 1]


def _pixels(images: Sequence[ImageScore]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    error = np.concatenate([image.error for image in images]).astype(np.float64)
    sigma = np.concatenate([image.sigma for image in images]).astype(np.float64)
    return error, sigma


def _mean(values: Iterable[float]) -> float:
    known = list(values)
    return float(np.mean(known)) if known else math.nan
