"""What single points say of a depth image beside its smooth field: near them it is wrong as it is at them.

A Gaussian process over the image (Rasmussen and Williams 2006, eq. 2.23 and 2.24): errors of log depth are alike at
pixels that are neighbours and at about one depth, so that a fold does not learn from the wall behind it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import cv2
import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from endo_depth_ros.pose.depth_field import corner_to_corner
from endo_depth_ros.pose.depth_samples import sample_nearest
from endo_depth_ros.pose.lie import Array
from endo_depth_ros.pose.robust import cauchy_weights

Map = NDArray[np.float32]

# Of the variance of a network's depth: what is no smooth field (docs/pose.md, "Depth from motion").
LOCAL_SHARE = 0.3
# Length scales of the squared exponential kernel: image widths, and log depth.
REACH, LOG_REACH = 0.125, 0.3
# Standard deviations of log depth, of a point and of the image as a whole, whatever they say themselves.
LEAST_POINT_SIGMA, LEAST_SIGMA = 0.01, 0.03
MAX_POINTS = 400  # the arithmetic grows with the third power
# Places across and down an image where the process is computed; it is interpolated between.
PLACES, SIGMA_PLACES = 33, 17
# Between levels of log depth, of LOG_REACH; and how far beyond that of all points they go.
LEVEL_STEP, LEVEL_MARGIN = 0.4, 3.5


@dataclass(frozen=True)
class DepthPoints:
    """Pixels of a frame whose depth is known from the map.

    pixels: [N, 2]. log_depth: [N], logarithm of z in the unit of the map. log_sigma: [N], of log_depth.
    """

    pixels: Array = field(default_factory=lambda: np.zeros((0, 2)))
    log_depth: Array = field(default_factory=lambda: np.zeros(0))
    log_sigma: Array = field(default_factory=lambda: np.zeros(0))

    def chosen(self, which: NDArray[np.intp]) -> DepthPoints:
        """Those with the indices `which`."""
        return DepthPoints(self.pixels[which], self.log_depth[which], self.log_sigma[which])


def local_errors(points: DepthPoints, log_depth: Map, log_sigma: Map) -> tuple[Map, Map]:
    """What a log depth lacks near points whose depth is known, and its standard deviation, float32 [H, W] both.

    log_depth: [H, W], as its smooth field makes it, not finite where there is none. log_sigma: [H, W], of the image,
    with what the smooth field is wrong by.
    """
    prior = np.float32(math.sqrt(LOCAL_SHARE)) * np.maximum(log_sigma, np.float32(LEAST_SIGMA))
    own, sigma = sample_nearest(log_depth, points.pixels), sample_nearest(prior, points.pixels)
    known = np.isfinite(own) & np.isfinite(sigma) & np.isfinite(points.log_depth) & np.isfinite(points.log_sigma)
    if not known.any():
        return np.zeros_like(log_depth), prior
    which = _thinned(np.flatnonzero(known))
    process = _Process(points.chosen(which), own[which], sigma[which], log_depth)
    return prior * process.mean(), prior * np.sqrt(np.maximum(1 - process.explained(), np.float32(0)))


class _Process:
    """The process given the points, in units of its prior standard deviation."""

    def __init__(self, points: DepthPoints, own: Array, sigma: Array, log_depth: Map) -> None:
        """own, sigma: [N], log depth of the image at the points, and what it may be off by there."""
        self._log_depth, self._unit = log_depth, REACH * log_depth.shape[1]
        self._x, self._y = points.pixels.T / self._unit
        self._level = own / LOG_REACH
        off = (points.log_depth - own) / sigma
        total = 1 + np.square(np.maximum(points.log_sigma, LEAST_POINT_SIGMA) / sigma)
        # A point that is far off counts as one that is less well known.
        noise = total / cauchy_weights(off / np.sqrt(total)) - 1
        alike = _alike(self._x, self._x) * _alike(self._y, self._y) * _alike(self._level, self._level)
        self._root = scipy.linalg.cholesky(alike + np.diag(noise), lower=True)
        self._weights = scipy.linalg.cho_solve((self._root, True), off)

    def mean(self) -> Map:
        """The expected error of each pixel, [H, W]."""
        low, high = self._level.min() - LEVEL_MARGIN, self._level.max() + LEVEL_MARGIN
        levels = np.arange(low, high + LEVEL_STEP, LEVEL_STEP)
        x, y = self._grid(PLACES)
        # The correlation is a product, so that each level of depth is a product of matrices.
        rows = (_alike(levels, self._level) * self._weights)[:, None, :] * _alike(y, self._y)
        planes = (rows @ _alike(x, self._x).T).astype(np.float32)
        level = np.nan_to_num(self._log_depth, posinf=0.0, neginf=0.0) / np.float32(LOG_REACH)
        return _between_levels(planes, (level - np.float32(low)) / np.float32(LEVEL_STEP))

    def explained(self) -> Map:
        """The share of the prior variance of each pixel that the points take away, [H, W]."""
        x, y = (places.ravel() for places in np.meshgrid(*self._grid(SIGMA_PLACES)))
        level = sample_nearest(self._log_depth, np.column_stack([x, y]) * self._unit) / LOG_REACH
        known = np.isfinite(level)
        alike = np.zeros((len(level), len(self._level)))
        alike[known] = _alike(x[known], self._x) * _alike(y[known], self._y) * _alike(level[known], self._level)
        whitened = scipy.linalg.solve_triangular(self._root, alike.T, lower=True)
        share = self._stretched(np.sum(np.square(whitened), axis=0))
        # Between places on a fold and behind it points say less than at either.
        between = self._stretched(np.where(known, level, level[known].mean() if known.any() else 0.0))
        apart = np.nan_to_num(self._log_depth / np.float32(LOG_REACH) - between, posinf=0.0, neginf=0.0)
        return share * np.exp(-np.square(apart))

    def _stretched(self, values: Array) -> Map:
        """Values of the places of sigma, over the image."""
        grid = values.reshape(SIGMA_PLACES, SIGMA_PLACES).astype(np.float32)
        return corner_to_corner(grid, self._log_depth.shape)

    def _grid(self, places: int) -> tuple[Array, Array]:
        """So many places from the first to the last pixel, in the process's unit: across, down."""
        height, width = self._log_depth.shape
        return np.linspace(0, width - 1, places) / self._unit, np.linspace(0, height - 1, places) / self._unit


def _alike(a: Array, b: Array) -> Array:
    """Correlations [A, B] along one axis, in length scales."""
    return np.asarray(np.exp(-0.5 * np.square(a[:, None] - b)), np.float64)


def _thinned(which: NDArray[np.intp]) -> NDArray[np.intp]:
    """At most MAX_POINTS of them, evenly picked."""
    return which[np.linspace(0, len(which) - 1, min(len(which), MAX_POINTS)).astype(np.intp)]


def _between_levels(planes: Map, level: Map) -> Map:
    """Planes [L, h, w], each stretched over an image, interpolated at each pixel's own level [H, W]."""
    count, rows, columns = planes.shape
    height, width = level.shape
    below = np.clip(np.floor(level), 0, count - 2)
    share = np.clip(level - below, np.float32(0), np.float32(1))
    u = np.broadcast_to(np.linspace(0, columns - 1, width, dtype=np.float32), level.shape)
    v = np.linspace(0, rows - 1, height, dtype=np.float32)[:, None] + below * np.float32(rows)
    tall = planes.reshape(count * rows, columns)
    low, high = (
        cv2.remap(tall, u, v + np.float32(up * rows), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        for up in (0, 1)
    )
    return np.asarray(low + share * (high - low), np.float32)
