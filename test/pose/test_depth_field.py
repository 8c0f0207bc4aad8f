"""Smooth fields of log depth: orthonormal terms, the same at pixels and over the image, honest deviations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endo_depth_ros.pose.depth_field import POWERS, TERMS, DepthField, basis_at, prior_sigmas

SHAPES = st.tuples(st.integers(20, 90), st.integers(20, 90))


def pixels_of(shape: tuple[int, int]) -> np.ndarray:
    v, u = np.mgrid[: shape[0], : shape[1]]
    return np.column_stack([u.ravel(), v.ravel()]).astype(float)


def test_terms_are_orthonormal_over_an_image_of_many_pixels() -> None:
    basis = basis_at(pixels_of((400, 500)), (400, 500))
    np.testing.assert_allclose(basis.T @ basis / len(basis), np.eye(TERMS), atol=1e-3)


def test_the_first_term_is_the_whole_image_and_the_next_two_its_slopes() -> None:
    basis = basis_at(np.array([[9.5, 4.5], [19.5, 4.5], [9.5, 9.5]]), (10, 20))
    np.testing.assert_allclose(basis[:, 0], 1)
    slopes = {power: basis[:, POWERS.index(power)] for power in ((1, 0), (0, 1))}
    np.testing.assert_allclose(slopes[1, 0], [0, np.sqrt(3), 0], atol=1e-12)
    np.testing.assert_allclose(slopes[0, 1], [0, 0, np.sqrt(3)], atol=1e-12)


@given(shape=SHAPES, seed=st.integers(0, 1000))
def test_the_field_over_an_image_is_that_at_its_pixels(shape: tuple[int, int], seed: int) -> None:
    coefficients = np.random.default_rng(seed).normal(size=TERMS)
    factor = DepthField(coefficients).log_factor(shape)
    expected = (basis_at(pixels_of(shape), shape) @ coefficients).reshape(shape)
    np.testing.assert_allclose(factor, expected, atol=1e-4)


@given(shape=SHAPES, seed=st.integers(0, 1000))
def test_its_deviation_is_that_of_the_coefficients(shape: tuple[int, int], seed: int) -> None:
    root = np.random.default_rng(seed).normal(size=(TERMS, TERMS))
    covariance = root @ root.T
    sigma = DepthField(covariance=covariance).log_sigma(shape)
    basis = basis_at(pixels_of(shape), shape)
    expected = np.sqrt(np.einsum("nk,kl,nl->n", basis, covariance, basis)).reshape(shape)
    corners = np.ix_([0, -1], [0, -1])
    np.testing.assert_allclose(sigma[corners], expected[corners], rtol=1e-4)
    assert np.abs(sigma / expected - 1).max() < 0.12  # interpolated
    assert np.abs(sigma / expected - 1).mean() < 0.01


def test_one_that_is_known_exactly_deviates_by_nothing() -> None:
    assert not DepthField().log_sigma((30, 40)).any()
    assert DepthField(np.append(0.2, np.zeros(TERMS - 1))).log_factor((30, 40)) == pytest.approx(0.2)


def test_higher_orders_are_expected_to_be_smaller() -> None:
    sigmas = dict(zip(POWERS, prior_sigmas(0.1, 0.2), strict=True))
    assert sigmas[0, 0] == 0.1
    assert sigmas[1, 0] == sigmas[0, 1] == 0.2
    assert sigmas[1, 1] == pytest.approx(0.14)
    assert sigmas[0, 4] == pytest.approx(0.2 * 0.7**3)
