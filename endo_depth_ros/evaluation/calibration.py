"""Does sigma say how wrong depth is? Coverage of intervals by decile of sigma, and sparsification."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.evaluation.pixel_sample import PixelSample

DECILES = 10
STEPS = 50
Values = NDArray[np.floating]


@dataclass(frozen=True)
class SigmaBin:
    """Pixels of a tenth of all by sigma: mean sigma, root mean square error, shares of |error| within 1 and 2 sigma."""

    sigma: float
    rms_error: float
    within_1_sigma: float
    within_2_sigma: float
    pixels: int


@dataclass(frozen=True)
class Calibration:
    """How sigma and error fit over a sequence.

    bins: from the smallest to the largest sigma. within_1_sigma, within_2_sigma: over all pixels; 0.683 and 0.954 for a
    Gaussian error, 0.757 and 0.941 for a Laplacian one. recalibration: factor on sigma that brings the root mean square
    of error / sigma to one.
    """

    bins: tuple[SigmaBin, ...]
    within_1_sigma: float
    within_2_sigma: float
    recalibration: float
    pixels: int


class SigmaCalibration:
    """Collects sigma and error frame by frame; see Calibration."""

    def __init__(self) -> None:
        """Start from nothing."""
        self._sample = PixelSample(2)

    def add(self, depth: Values, sigma: Values, truth: Values) -> None:
        """One frame: depth, sigma, truth [H, W] in one unit; pixels where one of them is missing don't count."""
        usable = usable_pixels(depth, sigma, truth)
        self._sample.add(np.stack([sigma[usable], np.abs(depth - truth)[usable]], axis=1))

    def result(self) -> Calibration:
        """The calibration of all frames so far; NaN without a pixel."""
        sigma, error = self._sample.rows().astype(np.float64).T
        if not len(sigma):
            return Calibration((), math.nan, math.nan, math.nan, 0)
        order = np.argsort(sigma, kind="stable")
        bins = tuple(_bin(sigma[part], error[part]) for part in np.array_split(order, DECILES) if len(part))
        return Calibration(
            bins,
            float(np.mean(error <= sigma)),
            float(np.mean(error <= 2 * sigma)),
            math.sqrt(np.mean((error / sigma) ** 2)),
            len(sigma),
        )


@dataclass(frozen=True)
class Sparsification:
    """Error of what is left when the most uncertain pixels are taken away, a mean over frames.

    removed: fractions 0 … 1 [51]. by_sigma, by_error, random: mean relative error of the rest when pixels are taken
    away by sigma, by their true error (the best possible), and at random; 0 at the end, where nothing is left.
    ause: area between by_sigma and by_error, 0 is best. aurg: between random and by_sigma, negative when sigma is
    worse than chance.
    """

    removed: tuple[float, ...]
    by_sigma: tuple[float, ...]
    by_error: tuple[float, ...]
    random: tuple[float, ...]
    ause: float
    aurg: float


def sparsify(depth: Values, sigma: Values, truth: Values) -> Sparsification | None:
    """Sparsification of one frame by AbsRel (Ilg et al. 2018; Poggi et al. 2020, whose 50 steps and end these are).

    depth, sigma, truth [H, W] in one unit. None where no pixel has all three. sigma is taken relative to depth, since
    the error that it should order is relative.
    """
    usable = usable_pixels(depth, sigma, truth)
    if not usable.any():
        return None
    d, g = depth[usable].astype(np.float64), truth[usable].astype(np.float64)
    error, uncertainty = np.abs(d - g) / g, sigma[usable].astype(np.float64) / d
    return _summary(_rest(error, uncertainty), _rest(error, error), np.append(np.full(STEPS, error.mean()), 0.0))


def average_sparsification(frames: Sequence[Sparsification]) -> Sparsification | None:
    """Mean over frames with equal weight; None without one."""
    if not frames:
        return None
    by_sigma = np.mean([frame.by_sigma for frame in frames], axis=0)
    by_error = np.mean([frame.by_error for frame in frames], axis=0)
    return _summary(by_sigma, by_error, np.mean([frame.random for frame in frames], axis=0))


def usable_pixels(depth: Values, sigma: Values, truth: Values) -> NDArray[np.bool_]:
    """Where depth, sigma and truth are finite and positive, bool [H, W]."""
    with np.errstate(invalid="ignore"):
        positive = [np.isfinite(values) & (values > 0) for values in (depth, sigma, truth)]
    return positive[0] & positive[1] & positive[2]


def _bin(sigma: Values, error: Values) -> SigmaBin:
    return SigmaBin(
        float(np.mean(sigma)),
        math.sqrt(np.mean(error**2)),
        float(np.mean(error <= sigma)),
        float(np.mean(error <= 2 * sigma)),
        len(sigma),
    )


def _rest(error: Values, rank: Values) -> NDArray[np.float64]:
    """Mean error of what is left when 0, 2, 4 … % of the largest ranks are gone, [STEPS + 1], 0 at the end."""
    # Ranks that are equal to single precision have no order: each counts with the mean error of its like, so that a
    # constant sigma is chance.
    with np.errstate(divide="ignore"):
        _, group = np.unique(np.round(np.log(rank), 6), return_inverse=True)
    ordered = np.repeat(np.bincount(group, weights=error) / np.bincount(group), np.bincount(group))
    means = np.cumsum(ordered) / np.arange(1, len(ordered) + 1)
    kept = np.ceil(len(ordered) * (1 - np.arange(STEPS) / STEPS)).astype(int)
    return np.append(means[kept - 1], 0.0)


def _summary(by_sigma: Values, by_error: Values, random: Values) -> Sparsification:
    removed = np.arange(STEPS + 1) / STEPS
    return Sparsification(
        tuple(removed.tolist()),
        tuple(by_sigma.tolist()),
        tuple(by_error.tolist()),
        tuple(random.tolist()),
        _area(by_sigma - by_error),
        _area(random - by_sigma),
    )


def _area(values: Values) -> float:
    """Trapezoids over removed fractions from 0 to 1."""
    return float(np.sum(values[1:] + values[:-1]) / 2 / STEPS)
