"""How far followed points stray: the bound is that of images that are known, and it is kept by what follows points."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endo_depth_ros.pose.appearance import SMOOTHING_PX, Picture
from endo_depth_ros.pose.flow import follow
from endo_depth_ros.pose.flow_error import EXCESS, MOST_PX, flow_covariance, whitening

WINDOW_PX = 17


def texture(shift: tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
    """Smooth in all directions, float64 [256, 320]."""
    rng, (y, x) = np.random.default_rng(2), np.mgrid[:256, :320].astype(float)
    waves = [(*rng.uniform(-0.35, 0.35, 2), rng.uniform(0, 6)) for _ in range(30)]
    picture = sum(np.cos(a * (x - shift[0]) + b * (y - shift[1]) + c) for a, b, c in waves)
    return 128 + 4 * np.asarray(picture)


def picture_of(light: np.ndarray, sigma: float, seed: int = 0) -> Picture:
    """What a sensor with noise makes of it, smoothed as pictures are."""
    noisy = light + sigma * np.random.default_rng(seed).normal(size=light.shape)
    grey = np.clip(cv2.GaussianBlur(noisy, (0, 0), SMOOTHING_PX), 0, 255).astype(np.uint8)
    return Picture(grey, np.full(light.shape, sigma, np.float32))


@pytest.mark.parametrize("sigma", [4.0, 10.0])
def test_points_stray_as_the_bound_says(sigma: float) -> None:
    x, y = np.meshgrid(np.arange(30, 290, 20), np.arange(30, 226, 20))
    points = np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32)
    shift, errors = (2.3, -1.7), []
    for seed in range(12):
        start, end = picture_of(texture(), sigma, 2 * seed), picture_of(texture(shift), sigma, 2 * seed + 1)
        found, ok = follow(start.grey, end.grey, points, points + np.float32(shift), WINDOW_PX, 3, 5.0)
        errors.append(np.where(ok[:, None], found - points - shift, np.nan))
    predicted = flow_covariance(picture_of(texture(), sigma), points, WINDOW_PX, 1e-3)
    measured = np.nanmean(np.square(errors), axis=0)
    ratio = np.sqrt(measured.mean(axis=1) / np.trace(predicted, axis1=1, axis2=2) * 2)
    assert 0.7 < EXCESS * np.median(ratio) < 1.5
    # Where the bound is large, errors are.
    assert np.corrcoef(np.log(measured.mean(axis=1)), np.log(np.trace(predicted, axis1=1, axis2=2)))[0, 1] > 0.5


def test_an_edge_says_nothing_about_the_way_along_it() -> None:
    edge = np.full((256, 320), 90.0)
    edge[:, 160:] = 160
    picture = picture_of(cv2.GaussianBlur(edge, (0, 0), 2.0), 3.0)
    covariance = flow_covariance(picture, np.float32([[160, 128]]), WINDOW_PX, 0.1)[0]
    across, along = np.sqrt(np.diag(covariance))
    assert across < 0.3
    assert along > 2.0


def test_nothing_at_all_is_bounded_and_everything_has_its_least_error() -> None:
    flat = flow_covariance(picture_of(np.full((256, 320), 128.0), 0.0), np.float32([[160, 128]]), WINDOW_PX, 0.4)[0]
    np.testing.assert_allclose(flat, (MOST_PX**2 + 0.4**2) * np.eye(2), rtol=1e-6)
    sharp = np.kron(np.indices((32, 40)).sum(axis=0) % 2, np.full((8, 8), 255)).astype(np.uint8)
    best = flow_covariance(picture_of(sharp.astype(float), 0.0), np.float32([[160, 128]]), WINDOW_PX, 0.4)[0]
    np.testing.assert_allclose(best, 0.4**2 * np.eye(2), atol=0.01)


@given(st.floats(0.1, 5), st.floats(0.1, 5), st.floats(-3, 3))
def test_whitened_errors_have_variance_one(first: float, second: float, angle: float) -> None:
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    covariance = turn @ np.diag([first**2, second**2]) @ turn.T
    W = whitening(covariance[None])[0]
    np.testing.assert_allclose(W @ covariance @ W.T, np.eye(2), atol=1e-8)


@pytest.mark.parametrize("length", [1e3, 1e6, 1e12])
def test_the_longest_of_ellipses_is_whitened_to_numbers(length: float) -> None:
    """Of a point beside the camera's plane, which its uncertain depth moves across the image any way."""
    along = length * np.array([0.6, 0.8])
    W = whitening((0.1 * np.eye(2) + np.outer(along, along))[None])[0]
    assert np.isfinite(W).all()
    assert np.linalg.norm(W @ along) < 2
