"""Depth errors of a sequence under one or several alignments, frame by frame in memory."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.evaluation.depth_alignment import ALIGNMENTS, CommonPixels, DepthAlignment, DepthFit
from endo_depth_ros.evaluation.depth_metrics import (
    EVERYTHING,
    DepthErrors,
    DepthMetricsError,
    DepthPair,
    DepthProtocol,
    average_errors,
    count_pixels,
    pixel_errors,
)
from endo_depth_ros.work_ahead import map_ahead

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
    ratio of truth to prediction of each, NaN where nothing is common. pairs: all of them. fits: by alignment, one for
    each image, also of those whose errors nobody asked for.
    """

    aligned: tuple[AlignedErrors, ...]
    indices: tuple[int, ...]
    image_scales: tuple[float, ...]
    pairs: int
    fits: Mapping[str, Sequence[DepthFit]]

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
    pairs: Iterable[DepthPair],
    alignments: Sequence[str],
    protocol: DepthProtocol = EVERYTHING,
    also_fit: Sequence[str] = (),
) -> DepthEvaluation:
    """Errors of (prediction, truth) pairs [H, W] in one unit, under each of the ALIGNMENTS named.

    also_fit: alignments that are fitted only. pairs is walked twice, since the fit to a sequence is known only at its
    end: give a list or an object that reads files on each walk. Raises DepthMetricsError for a one-way iterator and for
    pairs of different shapes, UnknownNameError for an alignment that there is not.
    """
    if iter(pairs) is pairs:
        raise DepthMetricsError("the pairs are an iterator that can be walked once only; give a list or a data set")
    fitted = {name: ALIGNMENTS.get(name)() for name in (*alignments, *also_fit)}
    scales = ALIGNMENTS.get("image_median")()
    indices, count = _observe(pairs, (*fitted.values(), scales), protocol)
    fits = {name: alignment.fits() for name, alignment in fitted.items()}
    errors: dict[str, list[DepthErrors]] = {name: [] for name in alignments}
    with_truth = set(indices)
    wanted = (pair for index, pair in enumerate(pairs) if index in with_truth)
    own_fits = ([fits[name][place] for name in alignments] for place in range(len(indices)))
    for of_image in map_ahead(partial(_errors_of_image, protocol), zip(wanted, own_fits, strict=True)):
        for name, one in zip(alignments, of_image, strict=True):
            errors[name].append(one)
    return DepthEvaluation(
        aligned=tuple(
            AlignedErrors(name, average_errors(errors[name]), tuple(errors[name]), tuple(fits[name]))
            for name in alignments
        ),
        indices=tuple(indices),
        image_scales=tuple(fit.scale for fit in scales.fits()),
        pairs=count,
        fits=fits,
    )


def _observe(
    pairs: Iterable[DepthPair], alignments: Sequence[DepthAlignment], protocol: DepthProtocol
) -> tuple[list[int], int]:
    """Show the common pixels of every image that has truth to the alignments; its indices, and how many pairs."""
    indices, count = [], 0
    for index, (pixels, counted) in enumerate(map_ahead(partial(_common, protocol), pairs)):
        count += 1
        if counted:
            indices.append(index)
            for alignment in alignments:
                alignment.observe(pixels)
    return indices, count


def _common(protocol: DepthProtocol, pair: DepthPair) -> tuple[CommonPixels, int]:
    """The pixels of an image that have truth and prediction, and how many have truth."""
    prediction, truth = pair
    limited = _limit_raw(prediction, protocol)
    counted, covered = count_pixels(limited, truth, protocol)
    pixels = CommonPixels(limited[covered].astype(np.float64), truth[covered].astype(np.float64))
    return pixels, int(np.count_nonzero(counted))


def _errors_of_image(protocol: DepthProtocol, task: tuple[DepthPair, Sequence[DepthFit]]) -> list[DepthErrors]:
    """Errors of an image under each fit."""
    pair, fits = task
    pixels, counted = _common(protocol, pair)
    return [_errors_under(fit, pixels, counted, protocol) for fit in fits]


def _errors_under(fit: DepthFit, pixels: CommonPixels, counted: int, protocol: DepthProtocol) -> DepthErrors:
    """Errors of an image as `align_depth` fits it."""
    d, g = np.asarray(fit.apply_positive(pixels.d), np.float64), pixels.g
    if protocol.clip is not None:
        d = np.clip(d, *protocol.clip)
    with np.errstate(invalid="ignore"):
        covered = np.isfinite(d) & (d > 0)
    if not covered.all():
        d, g = d[covered], g[covered]
    return pixel_errors(d, g, counted, protocol)


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
