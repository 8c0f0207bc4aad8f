"""Points are followed, or known not to be."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from endo_depth_ros.pose.flow import correlate, follow


def texture() -> np.ndarray:
    noise = np.random.default_rng(0).normal(size=(128, 160)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 2)
    return np.clip(128 + 40 * smooth / smooth.std(), 0, 255).astype(np.uint8)


POINTS = np.stack(np.meshgrid(np.arange(40, 120, 10), np.arange(40, 100, 10)), -1).reshape(-1, 2).astype(np.float32)


def test_points_are_followed_to_a_fraction_of_a_pixel() -> None:
    start = texture()
    end = cv2.warpAffine(start, np.array([[1, 0, 5.25], [0, 1, -3.5]]), (160, 128))
    there, found = follow(start, end, POINTS, POINTS, 17, 3, 0.7)
    assert found.all()
    np.testing.assert_allclose(there - POINTS, np.broadcast_to([5.25, -3.5], POINTS.shape), atol=0.15)


def test_points_that_are_covered_are_not_found() -> None:
    start = texture()
    end = start.copy()
    end[:, 80:] = np.flipud(start)[:, :80]
    _, found = follow(start, end, POINTS, POINTS, 17, 2, 0.7)
    assert found[POINTS[:, 0] < 65].all()
    assert found[POINTS[:, 0] > 95].mean() < 0.2


def test_noise_is_not_found_again_where_it_is_expected() -> None:
    start, end = (
        np.clip(128 + 20 * np.random.default_rng(seed).normal(size=(128, 160)), 0, 255).astype(np.uint8)
        for seed in (1, 2)
    )
    for window_px in (17, 41):
        assert follow(start, end, POINTS, POINTS, window_px, 3, 0.7)[1].mean() < 0.05


def test_patches_correlate_as_their_pixels_do() -> None:
    start = texture()
    negative = 255 - start
    darker = (start // 2 + 10).astype(np.uint8)
    flat = np.full_like(start, 128)
    for end, expected in ((start, 1.0), (negative, -1.0), (darker, 1.0), (flat, 0.0)):
        np.testing.assert_allclose(correlate(start, POINTS, end, POINTS, 17), expected, atol=0.02)
    pixels = [image[33:50, 44:61].ravel().astype(float) for image in (start, np.fliplr(start).copy())]
    point = np.float32([[52, 41]])
    assert correlate(start, point, np.fliplr(start).copy(), point, 17)[0] == pytest.approx(
        np.corrcoef(*pixels)[0, 1], abs=1e-4
    )


def test_no_points_are_no_error() -> None:
    nothing = np.zeros((0, 2), np.float32)
    there, found = follow(texture(), texture(), nothing, nothing, 17, 3, 0.7)
    assert len(there) == len(found) == 0
