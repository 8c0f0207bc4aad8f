"""How far followed points stray: the bound is that of images that are known, and it is kept by what follows points."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endo_depth_ros.pose.flow import follow
from endo_depth_ros.pose.flow_error import EXCESS, MOST_PX, flow_covariance, measure_noise, whitening

EVERYWHERE = np.ones((256, 320), bool)
WINDOW_PX = 17


def texture(shift: tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
    """Smooth in all directions, float64 [256, 320]."""
    rng, (y, x) = np.random.default_rng(2), np.mgrid[:256, :320].astype(float)
    waves = [(*rng.uniform(-0.35, 0.35, 2), rng.uniform(0, 6)) for _ in range(30)]
    picture = sum(np.cos(a * (x - shift[0]) + b * (y - shift[1]) + c) for a, b, c in waves)
    return 128 + 4 * np.asarray(picture)


def with_noise(picture: np.ndarray, sigma: float, seed: int) -> np.ndarray:
    return np.clip(picture + sigma * np.random.default_rng(seed).normal(size=picture.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("sigma", [2.0, 6.0, 15.0])
def test_noise_is_measured_on_texture_and_off_it(sigma: float) -> None:
    assert measure_noise(with_noise(np.full((256, 320), 128.0), sigma, 0), EVERYWHERE) == pytest.approx(sigma, rel=0.1)
    assert measure_noise(with_noise(texture(), sigma, 0), EVERYWHERE) == pytest.approx(sigma, rel=0.2)


def test_noise_beyond_the_tissue_does_not_count() -> None:
    picture = with_noise(texture(), 3.0, 0)
    tissue = EVERYWHERE.copy()
    tissue[:, :200] = False
    picture[:, :200] = with_noise(np.full((256, 200), 128.0), 40.0, 1)
    assert measure_noise(picture, tissue) == pytest.approx(3.0, rel=0.2)


@pytest.mark.parametrize("sigma", [4.0, 10.0])
def test_points_stray_as_the_bound_says(sigma: float) -> None:
    x, y = np.meshgrid(np.arange(30, 290, 20), np.arange(30, 226, 20))
    points = np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32)
    shift, errors = (2.3, -1.7), []
    for seed in range(12):
        start, end = with_noise(texture(), sigma, 2 * seed), with_noise(texture(shift), sigma, 2 * seed + 1)
        found, ok = follow(start, end, points, points + np.float32(shift), WINDOW_PX, 3, 5.0)
        errors.append(np.where(ok[:, None], found - points - shift, np.nan))
    predicted = flow_covariance(with_noise(texture(), sigma, 0), EVERYWHERE, points, WINDOW_PX, 1e-3)
    measured = np.nanmean(np.square(errors), axis=0)
    ratio = np.sqrt(measured.mean(axis=1) / np.trace(predicted, axis1=1, axis2=2) * 2)
    assert 0.7 < EXCESS * np.median(ratio) < 1.5
    # Where the bound is large, errors are.
    assert np.corrcoef(np.log(measured.mean(axis=1)), np.log(np.trace(predicted, axis1=1, axis2=2)))[0, 1] > 0.5


def test_an_edge_says_nothing_about_the_way_along_it() -> None:
    edge = np.full((256, 320), 90.0)
    edge[:, 160:] = 160
    picture = with_noise(cv2.GaussianBlur(edge, (0, 0), 2.0), 3.0, 0)
    covariance = flow_covariance(picture, EVERYWHERE, np.float32([[160, 128]]), WINDOW_PX, 0.1)[0]
    across, along = np.sqrt(np.diag(covariance))
    assert across < 0.3
    assert along > 2.0


def test_nothing_at_all_is_bounded_and_everything_has_its_least_error() -> None:
    flat = flow_covariance(np.full((256, 320), 128, np.uint8), EVERYWHERE, np.float32([[160, 128]]), WINDOW_PX, 0.4)[0]
    np.testing.assert_allclose(flat, (MOST_PX**2 + 0.4**2) * np.eye(2), rtol=1e-6)
    sharp = np.kron(np.indices((32, 40)).sum(axis=0) % 2, np.full((8, 8), 255)).astype(np.uint8)
    best = flow_covariance(sharp, EVERYWHERE, np.float32([[160, 128]]), WINDOW_PX, 0.4)[0]
    np.testing.assert_allclose(best, 0.4**2 * np.eye(2), atol=0.01)


@given(st.floats(0.1, 5), st.floats(0.1, 5), st.floats(-3, 3))
def test_whitened_errors_have_variance_one(first: float, second: float, angle: float) -> None:
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    covariance = turn @ np.diag([first**2, second**2]) @ turn.T
    W = whitening(covariance[None])[0]
    np.testing.assert_allclose(W @ covariance @ W.T, np.eye(2), atol=1e-8)
