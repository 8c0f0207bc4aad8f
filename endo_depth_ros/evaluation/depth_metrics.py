"""Errors of depth maps against truth: per image, then averaged; with a scale per image, one per sequence, or none."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


class DepthMetricsError(ValueError):
    """Depth maps can't be compared; the text says why and what to do."""


@dataclass(frozen=True)
class DepthProtocol:
    """What a comparison counts; lengths in the truth's unit.

    min_depth, max_depth: truth strictly between them counts. clip: predictions are limited to this range after
    scaling (published protocols do), or None to leave them.
    """

    min_depth: float = 0.0
    max_depth: float = math.inf
    clip: tuple[float, float] | None = None


@dataclass(frozen=True)
class DepthErrors:
    """Errors over the pixels where truth counts and the prediction is finite and positive (Eigen et al. 2014).

    abs_rel, rmse_log, delta1-3 (fraction within 1.25, 1.25², 1.25³) have no unit, sq_rel and rmse that of the truth.
    coverage: fraction of the counted truth that the prediction answers. The others are NaN where it answers none.
    """

    abs_rel: float
    sq_rel: float
    rmse: float
    rmse_log: float
    delta1: float
    delta2: float
    delta3: float
    coverage: float


@dataclass(frozen=True)
class SequenceErrors:
    """Errors of a sequence under the three alignments, side by side.

    Each is the mean over images with equal weight; coverage over the images that have truth, the others over those
    that also have a prediction. scale_per_sequence: median of the per-image scales. flicker: standard deviation of
    the log per-image scale. images: those with truth; without_truth: left out; unanswered: no usable pixel.
    """

    scaled_per_image: DepthErrors
    scaled_per_sequence: DepthErrors
    unscaled: DepthErrors
    scale_per_sequence: float
    flicker: float
    images: int
    without_truth: int
    unanswered: int


DepthPair = tuple[NDArray[np.floating], NDArray[np.floating]]
_EVERYTHING = DepthProtocol()


def depth_errors(
    prediction: NDArray[np.floating], truth: NDArray[np.floating], protocol: DepthProtocol = _EVERYTHING
) -> DepthErrors:
    """Errors of one image, prediction and truth [H, W] in the same unit.

    Raises DepthMetricsError for different shapes, and where no truth counts.
    """
    counted, covered = _masks(prediction, truth, protocol)
    if not counted.any():
        raise DepthMetricsError("the image has no truth in the protocol's range; leave it out")
    coverage = float(covered.sum() / counted.sum())
    if not covered.any():
        return _unanswered(coverage)
    d, g = prediction[covered].astype(np.float64), truth[covered].astype(np.float64)
    if protocol.clip is not None:
        d = np.clip(d, *protocol.clip)
    difference, log_ratio = d - g, np.log(d / g)
    return DepthErrors(
        abs_rel=float(np.mean(np.abs(difference) / g)),
        sq_rel=float(np.mean(difference**2 / g)),
        rmse=math.sqrt(np.mean(difference**2)),
        rmse_log=math.sqrt(np.mean(log_ratio**2)),
        delta1=_fraction_within(log_ratio, 1.25),
        delta2=_fraction_within(log_ratio, 1.25**2),
        delta3=_fraction_within(log_ratio, 1.25**3),
        coverage=coverage,
    )


def median_scale(
    prediction: NDArray[np.floating], truth: NDArray[np.floating], protocol: DepthProtocol = _EVERYTHING
) -> float:
    """Factor from prediction to truth: ratio of their medians over the pixels that both have; NaN where none.

    The per-image scale of Zhou et al. 2017 and AF-SfMLearner. Raises DepthMetricsError for different shapes.
    """
    _, covered = _masks(prediction, truth, protocol)
    if not covered.any():
        return math.nan
    return float(np.median(truth[covered]) / np.median(prediction[covered]))


def sequence_scale(image_scales: Sequence[float]) -> float:
    """One scale for a sequence: the median of its per-image scales, NaN left out; NaN where none is left."""
    known = np.asarray(image_scales, np.float64)
    known = known[np.isfinite(known)]
    return float(np.median(known)) if len(known) else math.nan


def flicker(image_scales: Sequence[float]) -> float:
    """Standard deviation of the log per-image scale, NaN left out; NaN where none is left."""
    known = np.asarray(image_scales, np.float64)
    known = known[np.isfinite(known)]
    return float(np.std(np.log(known))) if len(known) else math.nan


def average_errors(images: Sequence[DepthErrors]) -> DepthErrors:
    """Mean over images with equal weight; an image without any covered pixel counts in coverage only."""
    coverage = _mean([errors.coverage for errors in images])
    answered = [errors for errors in images if errors.coverage > 0]
    return DepthErrors(
        abs_rel=_mean([errors.abs_rel for errors in answered]),
        sq_rel=_mean([errors.sq_rel for errors in answered]),
        rmse=_mean([errors.rmse for errors in answered]),
        rmse_log=_mean([errors.rmse_log for errors in answered]),
        delta1=_mean([errors.delta1 for errors in answered]),
        delta2=_mean([errors.delta2 for errors in answered]),
        delta3=_mean([errors.delta3 for errors in answered]),
        coverage=coverage,
    )


def evaluate_sequence(pairs: Iterable[DepthPair], protocol: DepthProtocol = _EVERYTHING) -> SequenceErrors:
    """Errors of (prediction, truth) pairs [H, W], frame by frame in memory.

    pairs is walked twice, since the sequence's scale is known only at its end: give a list or an object that reads
    files on each walk. Raises DepthMetricsError for a one-way iterator and for pairs of different shapes.
    """
    if iter(pairs) is pairs:
        raise DepthMetricsError("the pairs are an iterator that can be walked once only; give a list or a data set")
    scales, without_truth = [], 0
    for prediction, truth in pairs:
        if _masks(prediction, truth, protocol)[0].any():
            scales.append(median_scale(prediction, truth, protocol))
        else:
            without_truth += 1
    shared_scale = sequence_scale(scales)
    per_image, per_sequence, unscaled = [], [], []
    with_truth = (pair for pair in pairs if _masks(*pair, protocol)[0].any())
    for (prediction, truth), image_scale in zip(with_truth, scales, strict=True):
        per_image.append(depth_errors(prediction * image_scale, truth, protocol))
        per_sequence.append(depth_errors(prediction * shared_scale, truth, protocol))
        unscaled.append(depth_errors(prediction, truth, protocol))
    return SequenceErrors(
        scaled_per_image=average_errors(per_image),
        scaled_per_sequence=average_errors(per_sequence),
        unscaled=average_errors(unscaled),
        scale_per_sequence=shared_scale,
        flicker=flicker(scales),
        images=len(scales),
        without_truth=without_truth,
        unanswered=int(np.isnan(scales).sum()),
    )


def _unanswered(coverage: float) -> DepthErrors:
    nan = math.nan
    return DepthErrors(nan, nan, nan, nan, nan, nan, nan, coverage)


def _fraction_within(log_ratio: NDArray[np.float64], threshold: float) -> float:
    return float(np.mean(np.abs(log_ratio) < math.log(threshold)))


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else math.nan


def _masks(
    prediction: NDArray[np.floating], truth: NDArray[np.floating], protocol: DepthProtocol
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Pixels whose truth counts, and those of them that the prediction answers, bool [H, W] each."""
    if prediction.shape != truth.shape:
        raise DepthMetricsError(
            f"the prediction is {prediction.shape} but the truth is {truth.shape}; resample the prediction"
        )
    with np.errstate(invalid="ignore"):
        counted = np.isfinite(truth) & (truth > protocol.min_depth) & (truth < protocol.max_depth) & (truth > 0)
        covered = counted & np.isfinite(prediction) & (prediction > 0)
    return counted, covered
