"""Percentiles of times."""

import pytest

from endo_depth_ros.benchmark.figures import Percentiles, percentiles


def test_percentiles_are_of_the_values_in_any_order():
    assert percentiles([float(value) for value in reversed(range(101))]) == Percentiles(50.0, 95.0, 99.0)


def test_one_value_is_all_percentiles():
    assert percentiles([3.0]) == Percentiles(3.0, 3.0, 3.0)


def test_no_values_have_no_percentiles():
    with pytest.raises(IndexError):
        percentiles([])
