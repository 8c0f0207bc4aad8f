"""Whitened errors are independent, whatever the landmark's number of sightings."""

from __future__ import annotations

import numpy as np
import pytest

from endo_depth_ros.pose.correlated_errors import accumulating, persistent, sequences_of, whitening


@pytest.mark.parametrize("correlations", [accumulating(4), persistent(4, 0.7)])
def test_correlated_rows_become_independent(correlations: np.ndarray) -> None:
    sequences = np.array([[5, 0, 3, 2], [1, 6, -1, -1]])
    covariance = np.zeros((8, 8))
    covariance[np.ix_(sequences[0], sequences[0])] = correlations
    covariance[np.ix_([1, 6], [1, 6])] = correlations[:2, :2]
    W = whitening(sequences, correlations, 8).toarray()
    there = np.array([0, 1, 2, 3, 5, 6])
    np.testing.assert_allclose((W @ covariance @ W.T)[np.ix_(there, there)], np.eye(6), atol=1e-12)
    assert not W[[4, 7]].any()


def test_errors_that_add_up_are_compared_with_the_one_before() -> None:
    W = whitening(np.array([[0, 1, 2]]), accumulating(3), 3).toarray()
    np.testing.assert_allclose(W, [[1, 0, 0], [-1, 1, 0], [0, -1, 1]], atol=1e-12)


def test_rows_are_gathered_by_owner_in_order() -> None:
    sequences = sequences_of(np.array([2, 0, 2, 2]), np.array([7, 8, 9, 4]), 4)
    np.testing.assert_array_equal(sequences, [[8, -1, -1], [-1, -1, -1], [7, 9, 4], [-1, -1, -1]])


def test_nothing_has_no_sequences() -> None:
    empty = np.zeros(0, np.int64)
    np.testing.assert_array_equal(sequences_of(empty, empty, 2), [[-1], [-1]])
