"""How predictions are fitted to truth before their errors are taken: nothing, a scale, a scale and a shift."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.evaluation.median import median
from endo_depth_ros.evaluation.pixel_sample import PixelSample
from endo_depth_ros.registry import Registry

Pixels = NDArray[np.float64]


@dataclass(frozen=True)
class DepthFit:
    """depth → scale · depth + shift, or 1 / (scale / depth + shift) where the fit is one of disparity."""

    scale: float
    shift: float = 0.0
    in_disparity: bool = False

    def apply(self, depth: NDArray[np.floating]) -> NDArray[np.floating]:
        """Fitted depth [H, W]; NaN where `depth` is no prediction, +inf where the fitted disparity is not positive."""
        with np.errstate(invalid="ignore"):
            usable = np.isfinite(depth) & (depth > 0)
        return np.where(usable, self.apply_positive(np.where(usable, depth, 1)), np.nan)

    def apply_positive(self, depth: NDArray[np.floating]) -> NDArray[np.floating]:
        """The same for depths that are all positive."""
        if not self.in_disparity:
            return self.scale * depth + self.shift
        disparity = self.scale / depth + self.shift
        positive = disparity > 0
        return np.where(positive, 1 / np.where(positive, disparity, 1), np.inf)


UNKNOWN_FIT = DepthFit(math.nan)


@dataclass(frozen=True, eq=False)
class CommonPixels:
    """Predictions d and truth g [N] of an image where both are positive; N may be 0."""

    d: Pixels
    g: Pixels

    @cached_property
    def median_ratio(self) -> float:
        """median(g) / median(d), NaN without a pixel; several alignments share it."""
        return median(self.g) / median(self.d) if len(self.d) else math.nan


class DepthAlignment(Protocol):
    """Sees the common pixels of every image once, in order, then gives one fit an image."""

    def observe(self, pixels: CommonPixels) -> None:
        """Take in one image."""

    def fits(self) -> list[DepthFit]:
        """One fit for every image observed; UNKNOWN_FIT where its pixels leave it open."""


ALIGNMENTS: Registry[Callable[[], DepthAlignment]] = Registry("depth alignment")


@ALIGNMENTS.register("none")
class NoAlignment:
    """Predictions as they are."""

    def __init__(self) -> None:
        """Begin a sequence."""
        self._count = 0

    def observe(self, pixels: CommonPixels) -> None:
        """See DepthAlignment."""
        self._count += 1

    def fits(self) -> list[DepthFit]:
        """See DepthAlignment."""
        return [DepthFit(1.0)] * self._count


@ALIGNMENTS.register("image_median")
class ImageMedian:
    """Each image times median(g) / median(d) (Zhou et al. 2017, AF-SfMLearner)."""

    def __init__(self) -> None:
        """Begin a sequence."""
        self._fits: list[DepthFit] = []

    def observe(self, pixels: CommonPixels) -> None:
        """See DepthAlignment."""
        self._fits.append(DepthFit(pixels.median_ratio))

    def fits(self) -> list[DepthFit]:
        """See DepthAlignment."""
        return self._fits


@ALIGNMENTS.register("sequence_median")
class SequenceMedian(ImageMedian):
    """All images times the median of their own median ratios: what is left of a scale that nobody corrects."""

    def fits(self) -> list[DepthFit]:
        """See DepthAlignment."""
        return [DepthFit(median_or_nan([fit.scale for fit in self._fits]))] * len(self._fits)


@ALIGNMENTS.register("image_scale_shift")
class ImageScaleShift:
    """Each image by the scale and shift of depth with the least squared error (MiDaS, Ranftl et al. 2020, eq. 5)."""

    def __init__(self) -> None:
        """Begin a sequence."""
        self._fits: list[DepthFit] = []

    def observe(self, pixels: CommonPixels) -> None:
        """See DepthAlignment."""
        sums = LineSums()
        sums.add(pixels.d, pixels.g)
        self._fits.append(DepthFit(*sums.solve()))

    def fits(self) -> list[DepthFit]:
        """See DepthAlignment."""
        return self._fits


@ALIGNMENTS.register("sequence_scale_shift")
class SequenceScaleShift:
    """All images by the one scale and shift of depth with the least squared error over the sequence's pixels."""

    in_disparity = False

    def __init__(self) -> None:
        """Begin a sequence."""
        self._sums = LineSums()
        self._count = 0

    def observe(self, pixels: CommonPixels) -> None:
        """See DepthAlignment."""
        d, g = pixels.d, pixels.g
        self._sums.add(1 / d, 1 / g) if self.in_disparity else self._sums.add(d, g)
        self._count += 1

    def fits(self) -> list[DepthFit]:
        """See DepthAlignment."""
        return [DepthFit(*self._sums.solve(), in_disparity=self.in_disparity)] * self._count


@ALIGNMENTS.register("sequence_disparity_scale_shift")
class SequenceDisparityScaleShift(SequenceScaleShift):
    """The same in disparity (Video Depth Anything, Chen et al. 2025, its evaluation)."""

    in_disparity = True


@ALIGNMENTS.register("sequence_median_mad")
class SequenceMedianMad:
    """All images by (d - med d) / MAD d · MAD g + med g over the sequence's pixels, MAD = mean |x - med x|.

    EndoDAV (Zhou et al. 2025), its evaluation. Exact up to the limit of PixelSample, beyond it from a sample.
    """

    def __init__(self) -> None:
        """Begin a sequence."""
        self._sample = PixelSample(2)
        self._count = 0

    def observe(self, pixels: CommonPixels) -> None:
        """See DepthAlignment."""
        self._sample.add(np.stack([pixels.d, pixels.g], axis=1))
        self._count += 1

    def fits(self) -> list[DepthFit]:
        """See DepthAlignment."""
        rows = self._sample.rows().astype(np.float64)
        if not len(rows):
            return [UNKNOWN_FIT] * self._count
        middle = np.median(rows, axis=0)
        spread = np.mean(np.abs(rows - middle), axis=0)
        scale = float(spread[1] / spread[0]) if spread[0] > 0 else math.nan
        return [DepthFit(scale, float(middle[1] - scale * middle[0]))] * self._count


@ALIGNMENTS.register("sequence_mean_depth")
class SequenceMeanDepth:
    """All images times Σ d̄ ḡ / Σ d̄² over their mean depths d̄, ḡ (SimCol3D challenge, its evaluation)."""

    def __init__(self) -> None:
        """Begin a sequence."""
        self._means: list[tuple[float, float]] = []

    def observe(self, pixels: CommonPixels) -> None:
        """See DepthAlignment."""
        d, g = pixels.d, pixels.g
        self._means.append((float(np.mean(d)), float(np.mean(g))) if len(d) else (math.nan, math.nan))

    def fits(self) -> list[DepthFit]:
        """See DepthAlignment."""
        means = np.array([pair for pair in self._means if math.isfinite(pair[0])]).reshape(-1, 2)
        scale = float(np.sum(means[:, 0] * means[:, 1]) / np.sum(means[:, 0] ** 2)) if len(means) else math.nan
        return [DepthFit(scale)] * len(self._means)


class LineSums:
    """Running sums for y ≈ scale · x + shift by least squares."""

    def __init__(self) -> None:
        """Start from nothing."""
        self._n = self._x = self._y = self._xx = self._xy = 0.0

    def add(self, x: Pixels, y: Pixels) -> None:
        """Take in points x, y [N]."""
        self._n += len(x)
        self._x, self._y = self._x + float(np.sum(x)), self._y + float(np.sum(y))
        # Not x @ x: that is BLAS, whose threads wait for each other and add in no fixed order.
        self._xx, self._xy = self._xx + float(np.sum(x * x)), self._xy + float(np.sum(x * y))

    def solve(self) -> tuple[float, float]:
        """Scale and shift; NaN both where the points leave them open (fewer than two different x)."""
        if self._n == 0:
            return math.nan, math.nan
        variance = self._xx - self._x**2 / self._n
        if variance <= 1e-12 * self._xx:
            return math.nan, math.nan
        scale = (self._xy - self._x * self._y / self._n) / variance
        return scale, (self._y - scale * self._x) / self._n


def median_or_nan(values: list[float]) -> float:
    """Median of the finite values, NaN where there is none."""
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known)]
    return float(np.median(known)) if len(known) else math.nan
