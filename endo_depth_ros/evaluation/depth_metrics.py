"""Errors of a depth map against truth, image by image, and their average over images."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.evaluation.median import median


class DepthMetricsError(ValueError):
    """Depth maps can't be compared; the text says why and what to do."""


@dataclass(frozen=True)
class DepthProtocol:
    """What a comparison counts; lengths in the truth's unit.

    min_depth, max_depth: truth strictly between them counts. clip: predictions are limited to this range after
    scaling (published protocols do), or None to leave them. clip_raw: the same before scaling (SimCol3D).
    relative_offset: added to the truth below |d - g| in median_rel only (SimCol3D).
    """

    min_depth: float = 0.0
    max_depth: float = math.inf
    clip: tuple[float, float] | None = None
    clip_raw: tuple[float, float] | None = None
    relative_offset: float = 0.0


@dataclass(frozen=True)
class DepthErrors:
    """Errors over the pixels where truth counts and the prediction is finite and positive.

    abs_rel, rmse_log, delta1-3 (fraction within 1.25, 1.25², 1.25³; Eigen et al. 2014) have no unit, sq_rel, rmse and
    mae (mean |d - g|, the L1 of SimCol3D) that of the truth; median_rel is the median of |d - g| / g.
    coverage: fraction of the counted truth that the prediction answers. The others are NaN where it answers none.
    """

    abs_rel: float
    sq_rel: float
    rmse: float
    rmse_log: float
    delta1: float
    delta2: float
    delta3: float
    mae: float
    median_rel: float
    coverage: float


DepthPair = tuple[NDArray[np.floating], NDArray[np.floating]]
EVERYTHING = DepthProtocol()
UNANSWERED = DepthErrors(**{field.name: math.nan for field in dataclasses.fields(DepthErrors)})


def depth_errors(
    prediction: NDArray[np.floating], truth: NDArray[np.floating], protocol: DepthProtocol = EVERYTHING
) -> DepthErrors:
    """Errors of one image, prediction and truth [H, W] in the same unit.

    Raises DepthMetricsError for different shapes, and where no truth counts.
    """
    counted, covered = count_pixels(prediction, truth, protocol)
    if not counted.any():
        raise DepthMetricsError("the image has no truth in the protocol's range; leave it out")
    d, g = prediction[covered].astype(np.float64), truth[covered].astype(np.float64)
    return pixel_errors(d, g, int(np.count_nonzero(counted)), protocol)


def pixel_errors(
    d: NDArray[np.float64], g: NDArray[np.float64], counted: int, protocol: DepthProtocol = EVERYTHING
) -> DepthErrors:
    """The same from the pixels that have a prediction: positive predictions d and truths g [N], of `counted` pixels."""
    coverage = len(d) / counted
    if len(d) == 0:
        return dataclasses.replace(UNANSWERED, coverage=coverage)
    if protocol.clip is not None:
        d = np.clip(d, *protocol.clip)
    # Every pass over the pixels costs as much as any other: what several figures need is made once.
    distance, log_distance = np.abs(d - g), np.abs(np.log(d / g))
    relative = distance / g
    squared = distance * distance
    return DepthErrors(
        abs_rel=float(np.mean(relative)),
        sq_rel=float(np.mean(squared / g)),
        rmse=math.sqrt(np.mean(squared)),
        rmse_log=math.sqrt(np.mean(log_distance * log_distance)),
        delta1=_fraction_within(log_distance, 1.25),
        delta2=_fraction_within(log_distance, 1.25**2),
        delta3=_fraction_within(log_distance, 1.25**3),
        mae=float(np.mean(distance)),
        median_rel=median(distance / (g + protocol.relative_offset) if protocol.relative_offset else relative),
        coverage=coverage,
    )


def average_errors(images: Sequence[DepthErrors]) -> DepthErrors:
    """Mean over images with equal weight; an image without any covered pixel counts in coverage only."""
    answered = [errors for errors in images if errors.coverage > 0]
    names = [field.name for field in dataclasses.fields(DepthErrors)]
    means = {name: _mean([getattr(errors, name) for errors in answered]) for name in names}
    return DepthErrors(**{**means, "coverage": _mean([errors.coverage for errors in images])})


def count_pixels(
    prediction: NDArray[np.floating], truth: NDArray[np.floating], protocol: DepthProtocol
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Pixels whose truth counts, and those of them that the prediction answers, bool [H, W] each.

    Raises DepthMetricsError for different shapes.
    """
    if prediction.shape != truth.shape:
        raise DepthMetricsError(
            f"the prediction is {prediction.shape} but the truth is {truth.shape}; resample the prediction"
        )
    with np.errstate(invalid="ignore"):
        counted = np.isfinite(truth) & (truth > protocol.min_depth) & (truth < protocol.max_depth) & (truth > 0)
        covered = counted & np.isfinite(prediction) & (prediction > 0)
    return counted, covered


def _fraction_within(log_distance: NDArray[np.float64], threshold: float) -> float:
    return np.count_nonzero(log_distance < math.log(threshold)) / len(log_distance)


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else math.nan
