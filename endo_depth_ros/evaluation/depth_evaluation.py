"""Depth errors of a sequence under one or several alignments, frame by frame in memory."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.evaluation.depth_alignment import ALIGNMENTS, DepthAlignment, DepthFit
from endo_depth_ros.evaluation.depth_metrics import (
    EVERYTHING,
    DepthErrors,
    DepthMetricsError,
    DepthPair,
    DepthProtocol,
    average_errors,
    count_pixels,
    depth_errors,
)

DepthMap = NDArray[np.floating]


@dataclass(frozen=True)
class AlignedErrors:
    """Errors under one alignment.

    images, fits: one for each image with truth, in order. mean: over the images with equal weight; its coverage over
    all of them, the others over those that have a prediction.
    """

    alignment: str
    mean: DepthErrors
    images: tuple[DepthErrors, ...]
    fits: tuple[DepthFit, ...]


@dataclass(frozen=True)
class DepthEvaluation:
    """Errors of a sequence.

    aligned: one for each alignment asked for. indices: of the images with truth among the pairs. image_scales: median
    ratio of truth to prediction of each, NaN where nothing is common. pairs: all of them.
    """

    aligned: tuple[AlignedErrors, ...]
    indices: tuple[int, ...]
    image_scales: tuple[float, ...]
    pairs: int

    def of(self, alignment: str) -> AlignedErrors:
        """The errors under one of the alignments asked for. Raises KeyError for another."""
        return {errors.alignment: errors for errors in self.aligned}[alignment]

    @property
    def without_truth(self) -> int:
        """Images that were left out."""
        return self.pairs - len(self.indices)

    @property
    def unanswered(self) -> int:
        """Images with truth, but without a prediction where it counts."""
        return int(np.isnan(self.image_scales).sum())

    @property
    def flicker(self) -> float:
        """Standard deviation of the log of the per-image scale; NaN where none is known."""
        return flicker(self.image_scales)

    @property
    def scale_spread(self) -> float:
        """Standard deviation of the per-image scales over their median, as AF-SfMLearner's evaluation prints it."""
        known = np.array([scale for scale in self.image_scales if math.isfinite(scale)])
        return float(np.std(known / np.median(known))) if len(known) else math.nan


def evaluate_depth(
    pairs: Iterable[DepthPair], alignments: Sequence[str], protocol: DepthProtocol = EVERYTHING
) -> DepthEvaluation:
    """Errors of (prediction, truth) pairs [H, W] in one unit, under each of the ALIGNMENTS named.

    pairs is walked twice, since the fit to a sequence is known only at its end: give a list or an object that reads
    files on each walk. Raises DepthMetricsError for a one-way iterator and for pairs of different shapes,
    UnknownNameError for an alignment that there is not.
    """
    if iter(pairs) is pairs:
        raise DepthMetricsError("the pairs are an iterator that can be walked once only; give a list or a data set")
    fitted = {name: ALIGNMENTS.get(name)() for name in alignments}
    scales = ALIGNMENTS.get("image_median")()
    indices, count = _observe(pairs, (*fitted.values(), scales), protocol)
    fits = {name: alignment.fits() for name, alignment in fitted.items()}
    errors: dict[str, list[DepthErrors]] = {name: [] for name in alignments}
    place = {index: position for position, index in enumerate(indices)}
    for index, (prediction, truth) in enumerate(pairs):
        if index in place:
            for name in alignments:
                aligned = align_depth(prediction, fits[name][place[index]], protocol)
                errors[name].append(depth_errors(aligned, truth, protocol))
    return DepthEvaluation(
        aligned=tuple(
            AlignedErrors(name, average_errors(errors[name]), tuple(errors[name]), tuple(fits[name]))
            for name in alignments
        ),
        indices=tuple(indices),
        image_scales=tuple(fit.scale for fit in scales.fits()),
        pairs=count,
    )


def _observe(
    pairs: Iterable[DepthPair], alignments: Sequence[DepthAlignment], protocol: DepthProtocol
) -> tuple[list[int], int]:
    """Show the common pixels of every image that has truth to the alignments; its indices, and how many pairs."""
    indices, count = [], 0
    for index, (prediction, truth) in enumerate(pairs):
        count += 1
        limited = _limit_raw(prediction, protocol)
        counted, covered = count_pixels(limited, truth, protocol)
        if counted.any():
            indices.append(index)
            d, g = limited[covered].astype(np.float64), truth[covered].astype(np.float64)
            for alignment in alignments:
                alignment.observe(d, g)
    return indices, count


def align_depth(prediction: DepthMap, fit: DepthFit, protocol: DepthProtocol) -> DepthMap:
    """The prediction [H, W] fitted and limited to the protocol's range, NaN where there is none.

    A fit with a shift may make depth negative: a protocol that clips takes its nearest depth there, as the published
    evaluations do; without a clip such pixels are no prediction.
    """
    aligned = fit.apply(_limit_raw(prediction, protocol))
    return aligned if protocol.clip is None else np.clip(aligned, *protocol.clip)


def _limit_raw(prediction: DepthMap, protocol: DepthProtocol) -> DepthMap:
    """Finite depths within clip_raw; an infinite one stays no prediction."""
    if protocol.clip_raw is None:
        return prediction
    return np.where(np.isfinite(prediction), np.clip(prediction, *protocol.clip_raw), prediction)


def flicker(image_scales: Sequence[float]) -> float:
    """Standard deviation of the log per-image scale, NaN left out; NaN where none is left."""
    known = np.asarray(image_scales, np.float64)
    known = known[np.isfinite(known)]
    return float(np.std(np.log(known))) if len(known) else math.nan
