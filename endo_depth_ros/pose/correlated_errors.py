"""Errors that the sightings of one landmark share, whitened: of followed points, and of depth."""

from __future__ import annotations

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from endo_depth_ros.pose.lie import Array

Rows = NDArray[np.int64]
NOTHING = 1e-12  # what rounding leaves of a zero


def accumulating(count: int) -> Array:
    """Correlations [count, count] of errors that add up: each is the one before and something new of variance 1."""
    order = np.arange(1.0, count + 1)
    return np.minimum(order[:, None], order[None, :])


def persistent(count: int, share: float) -> Array:
    """Correlations [count, count] of errors with `share` of their variance in common."""
    return np.full((count, count), share) + (1 - share) * np.eye(count)


def whitening(sequences: Rows, correlations: Array, size: int) -> scipy.sparse.csr_array:
    """[size, size]: makes residuals independent that are correlated within sequences, zero on all other rows.

    sequences: [S, count], numbers of the rows that belong together, in order, -1 behind the last. correlations:
    [count, count]; a shorter sequence has its upper left part, whose inverse Cholesky factor is that part as well.
    """
    factor = np.linalg.inv(np.linalg.cholesky(correlations))
    rows, columns, values = [], [], []
    for later in range(sequences.shape[1]):
        there = sequences[:, later] >= 0
        for earlier in np.flatnonzero(np.abs(factor[later]) > NOTHING):
            rows.append(sequences[there, later])
            columns.append(sequences[there, earlier])
            values.append(np.full(int(there.sum()), factor[later, earlier]))
    entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    return scipy.sparse.csr_array(entries, shape=(size, size))


def sequences_of(owners: Rows, rows: Rows, count: int) -> Rows:
    """Numbers of the rows of each of `count` owners in order, [count, longest], -1 behind the last."""
    order = np.argsort(owners, kind="stable")
    lengths = np.bincount(owners, minlength=count)
    place = np.arange(len(owners)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    sequences = np.full((count, max(int(lengths.max(initial=1)), 1)), -1, np.int64)
    sequences[owners[order], place] = rows[order]
    return sequences
