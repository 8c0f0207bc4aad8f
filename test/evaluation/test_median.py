"""The quick median is NumPy's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from endo_depth_ros.evaluation.median import SAMPLE, median

COUNTS = [1, 2, 3, 8 * SAMPLE - 1, 8 * SAMPLE, 8 * SAMPLE + 1, 50_000, 50_001]


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_median_is_exactly_numpys(count: int, dtype: type) -> None:
    values = np.random.default_rng(count).lognormal(size=count).astype(dtype)
    assert median(values) == float(np.median(values))


def striped(count: int) -> NDArray[np.float64]:
    """Values whose sample is all of one kind, at the stride that the sample takes."""
    values = np.zeros(count)
    values[:: count // SAMPLE] = 1.0
    return values


@pytest.mark.parametrize(
    "values",
    [np.full(9000, 3.0), np.arange(9000.0), np.arange(9000.0)[::-1], striped(40 * SAMPLE), np.repeat([1.0, 2.0], 5000)],
    ids=["constant", "rising", "falling", "striped", "two values"],
)
def test_median_holds_where_a_sample_misleads(values: NDArray[np.float64]) -> None:
    assert median(values) == np.median(values)


@given(st.integers(0, 2**32 - 1), st.integers(8 * SAMPLE, 12 * SAMPLE), st.integers(1, 40))
def test_median_holds_among_equal_values(seed: int, count: int, kinds: int) -> None:
    values = np.random.default_rng(seed).integers(0, kinds, count).astype(np.float64)
    assert median(values) == np.median(values)


def test_nothing_and_nan_have_no_median() -> None:
    assert math.isnan(median(np.zeros(0)))
    for place in (0, 1, 8999):
        values = np.arange(9000.0)
        values[place] = np.nan
        assert math.isnan(median(values))
