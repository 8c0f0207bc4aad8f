"""What single points say of the depth around them: the process's closed forms, folds, outliers, missing depth."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from endo_depth_ros.pose.lie import Array
from endo_depth_ros.pose.local_depth import (
    LEAST_POINT_SIGMA,
    LEAST_SIGMA,
    LOCAL_SHARE,
    LOG_REACH,
    MAX_POINTS,
    REACH,
    DepthPoints,
    local_errors,
)
from endo_depth_ros.pose.robust import cauchy_weights

HEIGHT, WIDTH = 64, 80
SIGMA = 0.1
PRIOR = np.sqrt(LOCAL_SHARE) * SIGMA

Map = NDArray[np.float32]


def flat(log_depth: float = -3.0) -> Map:
    return np.full((HEIGHT, WIDTH), log_depth, np.float32)


def wavy() -> Map:
    v, u = np.mgrid[:HEIGHT, :WIDTH]
    return np.asarray(-3 + 0.5 * np.sin(u / 20) + 0.3 * np.cos(v / 15), np.float32)


def sigma(value: float = SIGMA) -> Map:
    return np.full((HEIGHT, WIDTH), value, np.float32)


def point(u: float, v: float, log_depth: float, log_sigma: float = 0.02) -> DepthPoints:
    return DepthPoints(np.array([[u, v]]), np.array([log_depth]), np.array([log_sigma]))


def alike(pixels: Array, others: Array, level: Array, other_level: Array) -> Array:
    """The prior correlation as the docs have it."""
    apart = np.square(pixels[:, None] - others).sum(axis=2) / (REACH * WIDTH) ** 2
    return np.asarray(np.exp(-0.5 * (apart + np.square((level[:, None] - other_level) / LOG_REACH))))


def test_one_point_gives_the_closed_form() -> None:
    off, noise = 0.06, 0.02
    error, left = local_errors(point(40, 32, -3.0 + off, noise), flat(), sigma())
    total = PRIOR**2 + noise**2
    gain = PRIOR**2 / (total / cauchy_weights(np.array(off / np.sqrt(total))))
    for u in (40, 44, 50, 70):
        near = np.exp(-0.5 * ((u - 40) / (REACH * WIDTH)) ** 2)
        assert error[32, u] == pytest.approx(off * gain * near, abs=0.03 * off)
        assert left[32, u] == pytest.approx(PRIOR * np.sqrt(1 - gain * near**2), abs=0.06 * PRIOR)


def test_many_points_agree_with_the_process_computed_directly() -> None:
    rng = np.random.default_rng(1)
    pixels = np.round(rng.uniform([0, 0], [WIDTH - 1, HEIGHT - 1], (60, 2)))
    image, at = wavy(), (pixels[:, 1].astype(int), pixels[:, 0].astype(int))
    own, noise = image[at].astype(np.float64), rng.uniform(0.01, 0.1, 60)
    off = rng.normal(0, PRIOR, 60)
    error, left = local_errors(DepthPoints(pixels, own + off, noise), image, sigma())

    total = PRIOR**2 + noise**2
    K = PRIOR**2 * alike(pixels, pixels, own, own)
    S = K + np.diag(total / cauchy_weights(off / np.sqrt(total)) - PRIOR**2)
    v, u = np.mgrid[:HEIGHT:4, :WIDTH:4]
    k = PRIOR**2 * alike(np.column_stack([u.ravel(), v.ravel()]), pixels, image[::4, ::4].ravel(), own)
    np.testing.assert_allclose(error[::4, ::4].ravel(), k @ np.linalg.solve(S, off), atol=0.05 * PRIOR)
    expected = np.sqrt(PRIOR**2 - np.einsum("ij,ji->i", k, np.linalg.solve(S, k.T)))
    assert np.median(np.abs(left[::4, ::4].ravel() - expected)) < 0.05 * PRIOR


def test_no_points_leave_depth_and_the_local_share_of_sigma() -> None:
    error, left = local_errors(DepthPoints(), flat(), sigma())
    assert not error.any()
    np.testing.assert_allclose(left, PRIOR, rtol=1e-6)
    assert error.dtype == left.dtype == np.float32


def test_a_sigma_that_claims_too_much_is_not_believed() -> None:
    _, left = local_errors(DepthPoints(), flat(), sigma(1e-4))
    np.testing.assert_allclose(left, np.sqrt(LOCAL_SHARE) * LEAST_SIGMA, rtol=1e-6)


def test_a_fold_does_not_learn_from_the_wall_behind_it() -> None:
    image = flat(-3.0)
    image[:, 40:] = -2.0
    error, left = local_errors(point(37, 32, -2.95), image, sigma())
    assert error[32, 37] > 0.03
    assert abs(error[32, 43]) < 0.01 * error[32, 37]
    assert left[32, 43 + 4] > 0.99 * PRIOR


def test_points_without_depth_in_the_image_or_of_their_own_say_nothing() -> None:
    image, width = flat(), sigma()
    image[:, :20] = width[:, :20] = np.nan
    points = DepthPoints(
        np.array([[5.0, 32.0], [60.0, 20.0], [60.0, 40.0]]),
        np.array([-2.9, np.nan, -2.9]),
        np.array([0.02, 0.02, np.inf]),
    )
    error, _ = local_errors(points, image, width)
    assert not error[:, 20:].any()


def test_infinite_depth_elsewhere_in_the_image_changes_nothing() -> None:
    image = flat()
    expected, _ = local_errors(point(40, 32, -2.95), image, sigma())
    image[:8, :8], image[-8:, :8] = np.inf, np.nan
    error, left = local_errors(point(40, 32, -2.95), image, sigma())
    np.testing.assert_array_equal(error[20:44, 20:60], expected[20:44, 20:60])
    assert np.isfinite(left[20:44, 20:60]).all()


def test_the_farther_off_an_outlier_is_the_less_it_says() -> None:
    moved = [local_errors(point(40, 32, -3.0 + far), flat(), sigma())[0][32, 40] for far in (0.1, 0.3, 1.0, 3.0)]
    assert np.all(np.diff(moved) < 0)
    assert 0 < moved[-1] < 0.05 * PRIOR


@pytest.mark.parametrize("count", [MAX_POINTS, MAX_POINTS + 1, 3 * MAX_POINTS])
def test_of_many_points_as_many_as_can_be_are_used_from_all_over_the_image(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []
    cholesky = scipy.linalg.cholesky
    monkeypatch.setattr(
        "scipy.linalg.cholesky", lambda matrix, **options: (sizes.append(len(matrix)), cholesky(matrix, **options))[1]
    )
    pixels = np.random.default_rng(2).uniform([0, 0], [WIDTH - 1, HEIGHT - 1], (count, 2))
    pixels = pixels[np.argsort(pixels[:, 1])]
    error, left = local_errors(DepthPoints(pixels, np.full(count, -2.95), np.full(count, 0.01)), flat(), sigma())
    assert sizes == [MAX_POINTS]
    np.testing.assert_allclose(error[8:-8, 8:-8], 0.05, atol=0.003)
    assert left[8:-8, 8:-8].max() < 0.4 * PRIOR


def test_a_point_is_believed_to_a_percent_at_best() -> None:
    exact, good = (local_errors(point(40, 32, -2.99, noise), flat(), sigma()) for noise in (0.0, LEAST_POINT_SIGMA))
    np.testing.assert_array_equal(exact[0], good[0])
    np.testing.assert_array_equal(exact[1], good[1])


def test_a_point_where_the_image_has_no_sigma_says_nothing() -> None:
    width = sigma()
    width[32, 40] = np.nan
    error, _ = local_errors(point(40, 32, -2.95), flat(), width)
    assert not np.nan_to_num(error).any()


def test_a_thin_fold_between_two_places_of_the_grid_is_no_surer_than_the_process_says() -> None:
    image = flat(-2.0)
    fold = slice(17, 19)  # places are five pixels apart: 15, 20
    image[:, fold] = -3.0
    points = DepthPoints(np.array([[13.0, 32.0], [23.0, 32.0]]), np.full(2, -1.99), np.full(2, 0.01))
    _, left = local_errors(points, image, sigma())
    assert left[32, fold].min() > 0.95 * PRIOR
    assert left[32, 14] < 0.5 * PRIOR


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 50), st.floats(1e-4, 10), st.floats(0, 1))
def test_whatever_points_say_depth_stays_finite_and_sigma_within_its_prior(
    seed: int, count: int, spread: float, noise: float
) -> None:
    rng = np.random.default_rng(seed)
    # Some of them beyond the image, some twice.
    pixels = np.repeat(rng.uniform([-5, -5], [WIDTH + 5, HEIGHT + 5], (count, 2)), 2, axis=0)
    points = DepthPoints(pixels, rng.normal(-3, spread, 2 * count), np.full(2 * count, noise))
    error, left = local_errors(points, wavy(), sigma())
    assert np.isfinite(error).all()
    assert (left >= 0).all()
    assert (left <= PRIOR * (1 + 1e-5)).all()
