"""Depth errors against hand-computed cases, and what must hold for any depth map."""

import math
from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from endo_depth_ros.evaluation.depth_metrics import (
    DepthErrors,
    DepthMetricsError,
    DepthProtocol,
    average_errors,
    depth_errors,
)

depths = hnp.arrays(np.float64, (4, 5), elements=st.floats(0.005, 0.2))


def test_hand_computed_errors():
    errors = depth_errors(np.array([[1.0, 3.0]]), np.array([[2.0, 2.5]]))
    assert errors.abs_rel == pytest.approx((0.5 + 0.2) / 2)
    assert errors.sq_rel == pytest.approx((0.5 + 0.1) / 2)
    assert errors.rmse == pytest.approx(math.sqrt((1 + 0.25) / 2))
    assert errors.rmse_log == pytest.approx(math.sqrt((math.log(2) ** 2 + math.log(1.2) ** 2) / 2))
    assert (errors.delta1, errors.delta2, errors.delta3) == (0.5, 0.5, 0.5)
    assert errors.mae == pytest.approx((1 + 0.5) / 2)
    assert errors.median_rel == pytest.approx((0.5 + 0.2) / 2)
    assert errors.coverage == 1.0


def test_the_offset_of_the_relative_error_is_added_to_the_truth():
    errors = depth_errors(np.array([[3.0]]), np.array([[2.0]]), DepthProtocol(relative_offset=2.0))
    assert errors.median_rel == pytest.approx(0.25)
    assert errors.abs_rel == pytest.approx(0.5)


@pytest.mark.parametrize("factor", [1.3, 1 / 1.3])
def test_delta_counts_ratios_in_both_directions(factor):
    errors = depth_errors(np.full((2, 2), factor), np.ones((2, 2)))
    assert (errors.delta1, errors.delta2, errors.delta3) == (0.0, 1.0, 1.0)


def test_nan_infinite_and_non_positive_predictions_are_not_covered():
    prediction = np.array([[1.0, np.nan, np.inf, -np.inf, 0.0, -1.0, 1.0, 1.0]])
    truth = np.array([[1.0, 1.0, 1.0, 1.0, 1.0, 1.0, np.nan, 0.0]])
    errors = depth_errors(prediction, truth)
    assert errors.coverage == pytest.approx(1 / 6)
    assert errors.abs_rel == 0.0


def test_an_unanswered_image_has_no_errors_and_no_coverage():
    errors = depth_errors(np.full((2, 2), np.nan), np.ones((2, 2)))
    assert errors.coverage == 0.0
    assert all(math.isnan(value) for value in astuple(errors)[:-1])


def test_truth_outside_the_range_does_not_count():
    protocol = DepthProtocol(min_depth=1.0, max_depth=3.0)
    errors = depth_errors(np.array([[9.0, 2.0, 9.0]]), np.array([[1.0, 2.0, 3.0]]), protocol)
    assert errors.abs_rel == 0.0


def test_predictions_are_clipped_only_when_asked():
    prediction, truth = np.array([[300.0]]), np.array([[100.0]])
    assert depth_errors(prediction, truth).abs_rel == pytest.approx(2.0)
    assert depth_errors(prediction, truth, DepthProtocol(clip=(1e-3, 150.0))).abs_rel == pytest.approx(0.5)


@given(depths)
def test_truth_against_itself_is_perfect(truth):
    assert astuple(depth_errors(truth, truth)) == (0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0)


@given(depths, depths)
def test_deltas_are_ordered_fractions(prediction, truth):
    errors = depth_errors(prediction, truth)
    assert 0 <= errors.delta1 <= errors.delta2 <= errors.delta3 <= 1


@given(hnp.arrays(np.bool_, (4, 5)))
def test_coverage_counts_answered_pixels(answered):
    errors = depth_errors(np.where(answered, 0.05, np.nan), np.full((4, 5), 0.05))
    assert errors.coverage == pytest.approx(answered.mean())


@given(depths, depths)
def test_lengths_scale_with_the_unit_and_ratios_do_not(prediction, truth):
    metres, millimetres = depth_errors(prediction, truth), depth_errors(prediction * 1000, truth * 1000)
    assert millimetres.rmse == pytest.approx(metres.rmse * 1000)
    assert millimetres.sq_rel == pytest.approx(metres.sq_rel * 1000)
    assert millimetres.abs_rel == pytest.approx(metres.abs_rel)


def test_average_of_one_image_is_that_image():
    errors = DepthErrors(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
    assert average_errors([errors]) == errors


def test_single_precision_predictions_are_compared_in_double():
    truth = np.full((100, 100), np.float32(0.05))
    assert depth_errors(truth * np.float32(1.1), truth).abs_rel == pytest.approx(0.1, rel=1e-6)


def test_maps_of_different_sizes_are_refused():
    with pytest.raises(DepthMetricsError, match="resample"):
        depth_errors(np.ones((2, 3)), np.ones((3, 2)))


def test_an_image_without_truth_is_refused():
    with pytest.raises(DepthMetricsError, match="no truth"):
        depth_errors(np.ones((2, 2)), np.zeros((2, 2)))
