"""Answers that are wrong in a known way have exactly the figures that follow from it."""

import dataclasses
import itertools
import threading

import numpy as np
import pytest
from known_answers import METRES, KnownRecording, answers_with, evaluate_known, true_depths

from endo_depth_ros.bags.source import SourceError
from endo_depth_ros.contracts import ScaleState
from endo_depth_ros.pose.settings import PoseSettings
from endo_depth_ros.runs.recording_run import evaluate_recording


def errors_of(result, alignment="none"):
    return result.facts["depth"][alignment]


def test_perfect_answers_have_no_error(tmp_path):
    result = evaluate_known(true_depths(), tmp_path)
    assert errors_of(result)["abs_rel"] == 0
    assert errors_of(result)["coverage"] == result.facts["images"] / 6 == 1


def test_scaled_answers_err_by_the_scale_and_alignment_forgives_it(tmp_path):
    protocol = dataclasses.replace(METRES, also_report=("sequence_median", "image_median"))
    truth = true_depths()
    result = evaluate_known(1.25 * truth, tmp_path, protocol)
    assert errors_of(result)["abs_rel"] == pytest.approx(0.25, abs=1e-6)
    assert errors_of(result)["rmse_log"] == pytest.approx(np.log(1.25), abs=1e-6)
    rmse = np.mean([0.25 * np.sqrt(np.mean(d.astype(float) ** 2)) for d in truth])
    assert errors_of(result)["rmse"] == pytest.approx(rmse, abs=1e-6)
    for alignment in ("sequence_median", "image_median"):
        assert errors_of(result, alignment)["abs_rel"] == pytest.approx(0, abs=1e-6)
    assert result.facts["scale_per_sequence"] == pytest.approx(0.8, abs=1e-6)
    assert result.facts["flicker"] == pytest.approx(0, abs=1e-6)


def test_shifted_answers_err_by_the_shift(tmp_path):
    truth = true_depths()
    result = evaluate_known(truth + 0.004, tmp_path)
    assert errors_of(result)["mae"] == pytest.approx(0.004, abs=1e-6)
    assert errors_of(result)["rmse"] == pytest.approx(0.004, abs=1e-6)
    assert errors_of(result)["abs_rel"] == pytest.approx(np.mean(0.004 / truth.astype(float)), abs=1e-6)


@pytest.mark.parametrize("axis", [1, 2])
def test_a_flip_is_caught(tmp_path, axis):
    truth = true_depths()
    flipped = np.flip(truth, axis)
    expected = np.mean(np.abs(flipped - truth) / truth)
    assert errors_of(evaluate_known(flipped, tmp_path))["abs_rel"] == pytest.approx(expected, abs=1e-6)
    assert expected > 0.03


def test_a_delay_of_one_frame_is_caught(tmp_path):
    truth = true_depths().astype(float)
    delayed = [truth[0], *truth[:-1]]
    expected = np.mean([np.mean(np.abs(d - g) / g) for d, g in zip(delayed, truth, strict=True)])
    assert errors_of(evaluate_known(delayed, tmp_path))["abs_rel"] == pytest.approx(expected, abs=1e-6)
    assert expected > 0.01


def test_noise_is_measured_and_its_sigma_is_found_calibrated(tmp_path):
    truth = true_depths(8)
    noise = np.random.default_rng(0).normal(0, 0.002, truth.shape).astype(np.float32)
    result = evaluate_known(truth + noise, tmp_path, recording=KnownRecording(8), sigma=0.002)
    used = (truth + noise) - truth
    expected = np.mean(np.sqrt(np.mean(used.astype(float) ** 2, axis=(1, 2))))
    assert errors_of(result)["rmse"] == pytest.approx(expected, abs=1e-6)
    assert result.facts["calibration"]["recalibration"] == pytest.approx(1, abs=0.05)
    assert result.facts["calibration"]["within_1_sigma"] == pytest.approx(0.683, abs=0.02)


def test_masking_buys_no_accuracy_without_a_loss_of_coverage(tmp_path):
    truth = true_depths()
    depths = 1.1 * truth
    depths[:, :, 24:] = np.nan
    depths[:, 0] = np.inf
    errors = errors_of(evaluate_known(depths, tmp_path))
    assert errors["abs_rel"] == pytest.approx(0.1, abs=1e-6)
    assert errors["coverage"] == pytest.approx(0.5 * 35 / 36, abs=1e-9)


def test_a_frame_without_an_answer_costs_coverage_and_stands_in_its_row(tmp_path):
    depths = [*true_depths()[:5], None]
    result = evaluate_known(depths, tmp_path)
    assert errors_of(result)["coverage"] == pytest.approx(5 / 6)
    assert result.facts["unanswered"] == 1
    assert result.rows[5]["verdict"] == "invalid_input"
    assert result.rows[5]["none.coverage"] == 0
    assert np.isnan(result.rows[5]["none.abs_rel"])


def test_relative_depth_has_no_errors_in_metres(tmp_path):
    result = evaluate_known(3 * true_depths(), tmp_path, state=ScaleState.RELATIVE)
    assert set(result.facts["depth"]) == {"sequence_median"}
    assert result.facts["headline"] == "sequence_median"
    assert "no unit" in result.facts["notes"][0]


@pytest.mark.parametrize("pixels", ["truth", "prediction"])
def test_errors_in_the_pixels_of_truth_and_prediction_agree_where_these_are_the_same(tmp_path, pixels):
    result = evaluate_known(1.2 * true_depths(), tmp_path, dataclasses.replace(METRES, pixels=pixels))
    assert errors_of(result)["abs_rel"] == pytest.approx(0.2, abs=1e-6)


def test_the_unit_of_the_protocol_is_that_of_its_figures(tmp_path):
    result = evaluate_known(true_depths() + 0.004, tmp_path, dataclasses.replace(METRES, unit="mm"))
    assert errors_of(result)["mae"] == pytest.approx(4, abs=1e-4)


def test_truth_of_other_stamps_is_a_sentence(tmp_path):
    with pytest.raises(SourceError, match="none of 6 true depths or poses has the stamp of one of 6 images"):
        evaluate_known(true_depths(), tmp_path, recording=KnownRecording(6, truth_offset_ns=7))


def test_truth_outside_the_protocols_range_is_a_sentence(tmp_path):
    with pytest.raises(SourceError, match="choose another"):
        evaluate_known(true_depths(), tmp_path, dataclasses.replace(METRES, max_depth=1e-4))


def test_nothing_stays_on_disk(tmp_path):
    evaluate_known(true_depths(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_examples_go_from_worst_to_best_and_show_aligned_depth(tmp_path):
    factors = np.array([1.0, 1.3, 1.1, 1.6, 1.2, 1.05])
    truth = true_depths()
    result = evaluate_known(factors[:, None, None] * truth, tmp_path)
    errors = [example.abs_rel for example in result.examples]
    np.testing.assert_allclose(errors, [0.6, 0.3, 0.1, 0.05, 0.0], atol=1e-6)
    np.testing.assert_allclose(result.examples[0].row.depth, 1.6 * truth[3], rtol=1e-5)


@dataclasses.dataclass(frozen=True)
class Untrue(KnownRecording):
    """Its truth can't be read."""

    def truths(self):
        raise SourceError("no true depth on /truth/depth")
        yield


def test_truth_that_can_not_be_read_ends_the_work_at_once_and_closes_the_answers(tmp_path):
    (answer,) = answers_with(true_depths(1))
    given, closed = [], threading.Event()

    def many():
        try:
            for number in range(20_000):
                given.append(number)
                yield answer
        finally:
            closed.set()

    with pytest.raises(SourceError, match="no true depth on /truth/depth"):
        evaluate_recording(Untrue(1), many(), METRES, None, tmp_path, PoseSettings())
    assert closed.is_set()
    assert len(given) < 20_000
    assert not list(tmp_path.iterdir())


def test_what_the_answers_raise_ends_the_readers_of_truth_too(tmp_path):
    def failing():
        yield from answers_with(true_depths(2))
        raise RuntimeError("the node died")

    class Endless(KnownRecording):
        def truths(self):
            for _ in itertools.count():
                yield from super().truths()

    with pytest.raises(RuntimeError, match="the node died"):
        evaluate_recording(Endless(2), failing(), METRES, None, tmp_path, PoseSettings())


def test_true_depth_without_a_number_is_a_sentence(tmp_path):
    class Empty(KnownRecording):
        def truths(self):
            return (dataclasses.replace(truth, depth=truth.depth * np.nan) for truth in super().truths())

    with pytest.raises(SourceError, match="its true depth is nowhere a positive number"):
        evaluate_known(true_depths(2), tmp_path, recording=Empty(2))
