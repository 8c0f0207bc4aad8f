"""Requirements are met, not met with the reason, or not understood with a sentence."""

import math

import pytest

from endo_depth_ros.evaluation.protocol import load_protocol
from endo_depth_ros.runs.pooling import check_known
from endo_depth_ros.runs.requirements import RequirementError, parse_requirements

PROTOCOL = load_protocol("default")
FIGURES = {"absrel": 0.1, "coverage": 0.8, "tae": math.nan}


def reasons(text):
    return [reason for each in parse_requirements(text) if (reason := each.unmet(FIGURES))]


@pytest.mark.parametrize("text", ["absrel<0.2,coverage>0.7", " AbsRel <= 0.1 , coverage>=0.8", "abs_rel<1e3"])
def test_what_holds_gives_no_reason(text):
    assert reasons(text) == []


@pytest.mark.parametrize("text", ["absrel<0.1", "absrel<=0.0999", "coverage>0.8", "absrel>0.1"])
def test_what_does_not_hold_names_the_figure(text):
    (reason,) = reasons(text)
    assert text in reason
    assert "0.1" in reason or "0.8" in reason


def test_an_unknown_figure_meets_nothing():
    assert "not known" in reasons("tae<100")[0]
    assert "not known" in reasons("tae>0")[0]


@pytest.mark.parametrize(
    "text", ["", "absrel", "absrel<", "absrel=0.1", "absrel<x", "absrel<nan", "<0.1", "absrel<0.1,"]
)
def test_what_is_no_requirement_is_a_sentence(text):
    with pytest.raises(RequirementError, match="--require: "):
        parse_requirements(text)


def test_a_figure_that_no_run_has_is_told_before_the_work():
    check_known(parse_requirements("absrel<1,flicker<1,within1sigma>0,ate<5,image_median.absrel<1"), PROTOCOL)
    with pytest.raises(RequirementError, match="no figure 'accuracy'; known: absrel"):
        check_known(parse_requirements("accuracy>0.9"), PROTOCOL)
    with pytest.raises(RequirementError, match="those of one alignment .none, sequencemedian"):
        check_known(parse_requirements("sequencemeandepth.absrel<1"), PROTOCOL)
