"""Two runs side by side, with intervals that are as wide as neighbouring frames are alike."""

import math

import numpy as np
import pytest

from endo_depth_ros.json_file import write_json
from endo_depth_ros.runs.comparison import ComparisonError, compare_runs, make_blocks
from endo_depth_ros.runs.pooling import FIGURES
from endo_depth_ros.runs.run_folder import read_rows, write_rows


def write_run(path, errors, protocol="default", recording="r", coverage=0.9):
    path.mkdir()
    rows = [
        {
            "recording": recording,
            "stamp_ns": index,
            **{f"none.{name}": error for name in FIGURES},
            "none.coverage": math.nan if math.isnan(error) else coverage,
        }
        for index, error in enumerate(errors)
    ]
    write_rows(path / "frames.csv", rows)
    write_json(path / "metrics.json", {"protocol": {"name": protocol}, "depth": {"none": {}}})
    return path


def first(comparison):
    return comparison.differences[0]


def test_a_steady_difference_has_an_interval_without_zero(tmp_path):
    noise = np.random.default_rng(0).normal(0, 0.01, 600)
    a, b = write_run(tmp_path / "a", 0.2 + noise), write_run(tmp_path / "b", 0.15 + noise)
    difference = first(compare_runs(a, b))
    assert difference.difference == pytest.approx(-0.05)
    assert difference.low <= -0.05 + 1e-9
    assert difference.verdict == "B"


def test_frames_that_are_alike_do_not_count_as_many(tmp_path):
    rng = np.random.default_rng(1)
    alike = np.repeat(rng.normal(0, 0.05, 20), 30)
    a, b = write_run(tmp_path / "a", np.full(600, 0.3)), write_run(tmp_path / "b", 0.3 + alike)
    width = first(compare_runs(a, b)).high - first(compare_runs(a, b)).low
    # The mean of 20 independent draws, not of 600: 2 * 1.96 * 0.05 / sqrt(20).
    assert width == pytest.approx(2 * 1.96 * np.std(alike) / np.sqrt(20), rel=0.15)


def test_more_coverage_and_less_error_are_better(tmp_path):
    a = write_run(tmp_path / "a", np.full(90, 0.2), coverage=0.5)
    b = write_run(tmp_path / "b", np.full(90, 0.2), coverage=0.6)
    verdicts = {each.figure: each.verdict for each in compare_runs(a, b).differences}
    assert verdicts["coverage"] == "B"
    assert verdicts["abs_rel"] == "no difference shown"


def test_only_images_that_both_answered_are_compared(tmp_path):
    a = write_run(tmp_path / "a", [0.1, 0.2, math.nan, 0.9])
    b = write_run(tmp_path / "b", [0.2, 0.3, 0.1, math.nan])
    comparison = compare_runs(a, b)
    assert (first(comparison).a, first(comparison).b) == (pytest.approx(0.15), pytest.approx(0.25))
    assert "too few" in comparison.notes[0]
    assert "no interval" in comparison.summary
    assert "nan" not in comparison.summary


def test_runs_of_which_none_answered_the_others_images_say_so(tmp_path):
    first_run, other = write_run(tmp_path / "a", [0.1, 0.2]), write_run(tmp_path / "b", [0.1, 0.2])
    for path, lost in ((first_run, 0), (other, 1)):
        rows = read_rows(path / "frames.csv")
        rows[lost] = {**rows[lost], **{f"none.{name}": math.nan for name in FIGURES}, "none.coverage": 0.0}
        write_rows(path / "frames.csv", rows)
    assert compare_runs(first_run, other).summary == "No image of the 2 in common was answered by both runs."


def test_blocks_never_hold_two_recordings():
    blocks = make_blocks(["a"] * 40 + ["b"] * 5)
    assert [len(block) for block in blocks] == [20, 20, 5]


@pytest.mark.parametrize(
    ("other", "complaint"), [({"protocol": "hamlyn"}, "protocol"), ({"recording": "x"}, "no image in common")]
)
def test_what_can_not_be_compared_is_a_sentence(tmp_path, other, complaint):
    a, b = write_run(tmp_path / "a", [0.1]), write_run(tmp_path / "b", [0.1], **other)
    with pytest.raises(ComparisonError, match=complaint):
        compare_runs(a, b)
    with pytest.raises(ComparisonError, match="no finished run"):
        compare_runs(a, tmp_path / "nowhere")
