"""Scores of made-up predictions whose errors are known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from training.scores import (
    ImageScore,
    average,
    by_family,
    coverage_by_decile,
    pair_flicker,
    scale_sigma,
    score_image,
    sigma_factor,
    sparsification_gain,
)
from training.sequence_file import NO_PAIR

SHAPE = (40, 50)


def scored(log_depth: np.ndarray, log_b: float = -2.0, family: str = "wall", sequence: int = 0, pair: int = NO_PAIR):
    truth = np.full(SHAPE, math.log(0.03), np.float32)
    score = score_image(
        log_depth.astype(np.float32),
        np.full(SHAPE, log_b, np.float32),
        truth,
        np.ones(SHAPE, bool),
        family,
        sequence,
        pair,
    )
    assert score is not None
    return score


def drawn(seed: int, spread: bool = True) -> ImageScore:
    """Laplace errors whose b differs from pixel to pixel and is predicted."""
    rng = np.random.default_rng(seed)
    log_b = rng.uniform(-5, -1, SHAPE) if spread else np.full(SHAPE, -2.0)
    truth = np.full(SHAPE, -3.0, np.float32)
    depth = truth + rng.laplace(0, np.exp(log_b))
    score = score_image(
        depth.astype(np.float32), log_b.astype(np.float32), truth, np.ones(SHAPE, bool), "wall", 0, NO_PAIR
    )
    assert score is not None
    return score


def test_a_wrong_scale_is_metric_error_only() -> None:
    score = scored(np.full(SHAPE, math.log(0.03) + 0.2))
    assert score.abs_rel == pytest.approx(0, abs=1e-6)
    assert score.delta1 == 1.0
    assert score.log_scale == pytest.approx(-0.2, abs=1e-6)
    assert score.metric_abs_rel == pytest.approx(math.expm1(0.2), rel=1e-5)


def test_an_image_without_truth_has_no_score() -> None:
    nothing = np.zeros(SHAPE, np.float32)
    assert score_image(nothing, nothing, nothing, np.zeros(SHAPE, bool), "wall", 0, NO_PAIR) is None


def test_flicker_is_that_of_one_frame() -> None:
    images = [
        scored(np.full(SHAPE, math.log(0.03) + shift), sequence=s, pair=p)
        for s, p, shift in [(0, 1, 0.0), (0, 1, 0.1), (1, 1, 0.0), (1, 1, -0.1), (1, NO_PAIR, 3.0)]
    ]
    assert pair_flicker(images) == pytest.approx(0.1 / math.sqrt(2), rel=1e-4)
    assert math.isnan(pair_flicker(images[-1:]))


def test_one_scale_of_a_sequence_leaves_the_flicker_in() -> None:
    shifts = (-0.1, 0.0, 0.1)
    images = [scored(np.full(SHAPE, math.log(0.03) + shift)) for shift in shifts]
    score = average(images)
    assert score.abs_rel == pytest.approx(0, abs=1e-6)
    assert score.one_scale_abs_rel == pytest.approx((math.expm1(0.1) - math.expm1(-0.1)) / 3, rel=1e-3)


def test_families_are_told_apart() -> None:
    good, bad = scored(np.full(SHAPE, -3.0)), scored(np.linspace(-4, -3, 2000).reshape(SHAPE), family="tube")
    scores = by_family([bad, good])
    assert list(scores) == ["tube", "wall"]
    assert scores["tube"].abs_rel > scores["wall"].abs_rel


def test_a_true_laplace_scale_covers_three_quarters_in_every_decile() -> None:
    images = [drawn(seed) for seed in range(40)]
    assert average(images).within_1 == pytest.approx(1 - math.exp(-math.sqrt(2)), abs=0.02)
    assert coverage_by_decile(images) == pytest.approx([1 - math.exp(-math.sqrt(2))] * 10, abs=0.05)


def test_the_factor_brings_coverage_to_what_is_wanted() -> None:
    images = [drawn(seed) for seed in range(20)]
    factor = sigma_factor(images, 0.72)
    covered = np.mean([np.mean(image.error < factor * image.sigma) for image in images])
    assert covered == pytest.approx(0.72, abs=0.005)
    assert factor == pytest.approx(-math.log(1 - 0.72) / math.sqrt(2), rel=0.05)


def test_metres_are_as_sure_as_they_are_right_as_a_whole() -> None:
    images = [scored(np.full(SHAPE, math.log(0.03) + off)) for off in (0.3, -0.4, 0.0)]
    assert scale_sigma(images) == pytest.approx(math.sqrt((0.3**2 + 0.4**2) / 3))


def test_sigma_that_orders_errors_gains_and_sigma_that_does_not_gains_nothing() -> None:
    assert sparsification_gain([drawn(seed) for seed in range(20)]) > 0.6
    assert sparsification_gain([drawn(seed, spread=False) for seed in range(20)]) == pytest.approx(0, abs=0.1)
