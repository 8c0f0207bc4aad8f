"""Known predictions (scaled, shifted, flipped, delayed, masked) give the closed form, under every alignment."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from endo_depth_ros.evaluation.depth_evaluation import evaluate_depth, flicker
from endo_depth_ros.evaluation.depth_metrics import DepthMetricsError, DepthProtocol
from endo_depth_ros.registry import UnknownNameError

depths = hnp.arrays(np.float64, (4, 5), elements=st.floats(0.005, 0.2))
SCALES = ("image_median", "sequence_median", "sequence_mean_depth")
AFFINE = ("image_scale_shift", "sequence_scale_shift", "sequence_median_mad")


def scene(frames=5, size=(12, 16)):
    """Slanted planes that come nearer from frame to frame and differ left from right, metres."""
    v, u = np.mgrid[: size[0], : size[1]]
    return [0.03 + 0.002 * u + 0.001 * v + 0.004 * (frames - index) for index in range(frames)]


def abs_rel(predictions, truths, alignment, protocol=None):
    pairs = list(zip(predictions, truths, strict=True))
    return evaluate_depth(pairs, [alignment], protocol or DepthProtocol()).of(alignment).mean.abs_rel


@pytest.mark.parametrize("alignment", [*SCALES, *AFFINE])
def test_a_scaled_truth_is_perfect_under_every_alignment_with_a_scale(alignment):
    truths = scene()
    assert abs_rel([7.0 * t for t in truths], truths, alignment) == pytest.approx(0, abs=1e-6)


def test_a_scaled_truth_is_off_by_its_factor_without_alignment():
    truths = scene()
    assert abs_rel([1.3 * t for t in truths], truths, "none") == pytest.approx(0.3, abs=1e-12)


@pytest.mark.parametrize("alignment", AFFINE)
def test_a_scaled_and_shifted_truth_is_perfect_under_scale_and_shift(alignment):
    truths = scene()
    assert abs_rel([0.5 * t + 0.01 for t in truths], truths, alignment) == pytest.approx(0, abs=1e-6)


def test_a_truth_of_scaled_and_shifted_disparity_is_perfect_under_that_alignment():
    truths = scene()
    predictions = [1 / (3.0 / t + 5.0) for t in truths]
    assert abs_rel(predictions, truths, "sequence_disparity_scale_shift") == pytest.approx(0, abs=1e-9)
    assert abs_rel(predictions, truths, "sequence_scale_shift") > 1e-3


def test_a_shift_is_no_scale():
    truths = scene()
    assert all(abs_rel([t + 0.02 for t in truths], truths, alignment) > 1e-3 for alignment in SCALES)


@pytest.mark.parametrize("alignment", [*SCALES, *AFFINE, "none"])
def test_flipped_and_delayed_predictions_are_caught(alignment):
    truths = scene()
    truths = [t * (1 + 0.1 * np.sin(3 * index + np.arange(16))) for index, t in enumerate(truths)]
    flipped = [t[:, ::-1] for t in truths]
    delayed = [truths[0], *truths[:-1]]
    assert abs_rel(flipped, truths, alignment) > 0.02
    assert abs_rel(delayed, truths, alignment) > 0.02


def test_a_scale_that_changes_from_frame_to_frame_is_forgiven_per_image_only():
    truths = [np.full((3, 3), 0.05)] * 3
    predictions = [truths[0] * 2, truths[0] * 2, truths[0]]
    assert abs_rel(predictions, truths, "image_median") == pytest.approx(0)
    assert abs_rel(predictions, truths, "sequence_median") == pytest.approx(0.5 / 3)
    # Σ d̄ ḡ / Σ d̄² = (2 + 2 + 1) / (4 + 4 + 1) = 5 / 9.
    assert abs_rel(predictions, truths, "sequence_mean_depth") == pytest.approx((1 / 9 + 1 / 9 + 4 / 9) / 3)


def test_median_and_mean_deviation_of_the_whole_clip_by_hand():
    predictions = [np.array([[1.0, 2.0]]), np.array([[3.0, 6.0]])]
    truths = [np.array([[10.0, 20.0]]), np.array([[30.0, 60.0]])]
    evaluation = evaluate_depth(list(zip(predictions, truths, strict=True)), ["sequence_median_mad"])
    fit = evaluation.of("sequence_median_mad").fits[0]
    assert (fit.scale, fit.shift) == (pytest.approx(10.0), pytest.approx(0.0))
    shifted = [(p + 4, t) for p, t in zip(predictions, truths, strict=True)]
    assert evaluate_depth(shifted, ["sequence_median_mad"]).of("sequence_median_mad").fits[0].shift == pytest.approx(
        -40
    )


def test_least_squares_by_hand():
    evaluation = evaluate_depth([(np.array([[1.0, 2.0, 3.0]]), np.array([[1.0, 3.0, 2.0]]))], ["image_scale_shift"])
    fit = evaluation.of("image_scale_shift").fits[0]
    assert (fit.scale, fit.shift) == (pytest.approx(0.5), pytest.approx(1.0))


def test_depth_that_alignment_makes_negative_is_clipped_where_the_protocol_clips_else_unanswered():
    pairs = [(np.array([[1.0, 2.0, 3.0]]), np.array([[0.5, 4.0, 9.0]]))]
    clipped = evaluate_depth(pairs, ["image_scale_shift"], DepthProtocol(clip=(0.1, 150))).of("image_scale_shift").mean
    bare = evaluate_depth(pairs, ["image_scale_shift"]).of("image_scale_shift").mean
    # The line is 4.25 d - 4: 0.25, 4.5, 8.75; with another truth its first value is negative.
    assert clipped.coverage == bare.coverage == 1.0
    pairs = [(np.array([[1.0, 2.0, 3.0]]), np.array([[0.1, 0.2, 9.0]]))]
    clipped = evaluate_depth(pairs, ["image_scale_shift"], DepthProtocol(clip=(0.1, 150))).of("image_scale_shift").mean
    bare = evaluate_depth(pairs, ["image_scale_shift"]).of("image_scale_shift").mean
    assert (clipped.coverage, bare.coverage) == (1.0, pytest.approx(2 / 3))


def test_predictions_can_be_limited_before_they_are_scaled():
    protocol = DepthProtocol(clip_raw=(0.0, 20.0))
    pairs = [(np.array([[10.0, 40.0]]), np.array([[10.0, 20.0]]))]
    assert evaluate_depth(pairs, ["sequence_mean_depth"], protocol).of("sequence_mean_depth").mean.mae == 0
    infinite = [(np.array([[10.0, np.inf]]), np.array([[10.0, 20.0]]))]
    assert evaluate_depth(infinite, ["none"], protocol).of("none").mean.coverage == 0.5


def test_errors_of_each_image_stand_beside_their_place_in_the_sequence():
    nothing = np.full((2, 2), np.nan)
    pairs = [(np.ones((2, 2)), nothing), (np.full((2, 2), 2.0), np.ones((2, 2))), (nothing, np.ones((2, 2)))]
    evaluation = evaluate_depth(pairs, ["none"])
    assert evaluation.indices == (1, 2)
    assert [errors.coverage for errors in evaluation.of("none").images] == [1.0, 0.0]
    assert evaluation.of("none").images[0].abs_rel == 1.0
    assert (evaluation.without_truth, evaluation.unanswered) == (1, 1)


def test_the_spread_of_scales_is_taken_over_their_median():
    pairs = [(np.full((1, 1), 1 / scale), np.ones((1, 1))) for scale in (1.0, 2.0, 4.0)]
    assert evaluate_depth(pairs, ["none"]).scale_spread == pytest.approx(np.std([0.5, 1, 2]))


def test_masking_lowers_coverage():
    truths = scene()
    masked = [np.where(np.arange(16) < 4, np.nan, t) for t in truths]
    mean = evaluate_depth(list(zip(masked, truths, strict=True)), ["none"]).of("none").mean
    assert (mean.abs_rel, mean.coverage) == (0.0, 0.75)


def test_an_unknown_alignment_is_named_with_those_there_are():
    with pytest.raises(UnknownNameError, match="image_median"):
        evaluate_depth([(np.ones((1, 1)), np.ones((1, 1)))], ["median"])


def evaluate_all(pairs):
    return evaluate_depth(pairs, ("image_median", "sequence_median", "none"))


@given(depths, depths, st.floats(0.01, 100))
def test_per_image_scaling_forgets_the_scale_of_the_prediction(prediction, truth, factor):
    plain = evaluate_all([(prediction, truth)]).of("image_median").mean
    scaled = evaluate_all([(prediction * factor, truth)]).of("image_median").mean
    assert scaled.abs_rel == pytest.approx(plain.abs_rel, rel=1e-6)
    assert scaled.rmse_log == pytest.approx(plain.rmse_log, rel=1e-6)


def test_flicker_is_the_standard_deviation_of_log_scales():
    assert flicker([math.e, 1.0, math.nan]) == pytest.approx(0.5)


@given(st.floats(0.01, 100), st.integers(1, 9))
def test_constant_ratios_do_not_flicker(ratio, images):
    assert flicker([ratio] * images) == pytest.approx(0.0, abs=1e-12)


def test_images_weigh_the_same_whatever_their_pixel_count():
    sparse = (np.full((4, 4), 2.0), np.where(np.eye(4) > 0, 1.0, np.nan))
    dense = (np.ones((4, 4)), np.ones((4, 4)))
    assert evaluate_all([sparse, dense]).of("none").mean.abs_rel == pytest.approx(0.5)


def test_the_three_alignments_tell_different_stories():
    truth = np.full((3, 3), 0.05)
    result = evaluate_all([(truth * 2, truth), (truth * 2, truth), (truth, truth)])
    assert result.of("image_median").mean.abs_rel == pytest.approx(0.0)
    assert result.of("sequence_median").fits[0].scale == pytest.approx(0.5)
    assert result.of("sequence_median").mean.abs_rel == pytest.approx(0.5 / 3)
    assert result.of("none").mean.abs_rel == pytest.approx(2 / 3)
    assert result.flicker == pytest.approx(np.std(np.log([0.5, 0.5, 1.0])))


def test_images_without_truth_are_skipped_and_unanswered_ones_lower_coverage():
    truth, nothing = np.ones((2, 2)), np.full((2, 2), np.nan)
    result = evaluate_all([(truth, truth), (truth, nothing), (nothing, truth)])
    assert (len(result.indices), result.without_truth, result.unanswered) == (2, 1, 1)
    for errors in (result.of("image_median").mean, result.of("sequence_median").mean, result.of("none").mean):
        assert errors.coverage == 0.5
        assert errors.abs_rel == 0.0


def test_a_sequence_without_truth_has_no_errors():
    result = evaluate_all([(np.ones((2, 2)), np.full((2, 2), np.nan))])
    assert (len(result.indices), result.without_truth) == (0, 1)
    assert math.isnan(result.of("none").mean.abs_rel)
    assert math.isnan(result.of("none").mean.coverage)


def test_a_one_way_iterator_is_refused():
    with pytest.raises(DepthMetricsError, match="walked once"):
        evaluate_all(iter([(np.ones((2, 2)), np.ones((2, 2)))]))
