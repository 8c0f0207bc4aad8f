"""Points are followed, or known not to be."""

from __future__ import annotations

import cv2
import numpy as np

from endo_depth_ros.pose.flow import follow


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


def test_no_points_are_no_error() -> None:
    nothing = np.zeros((0, 2), np.float32)
    there, found = follow(texture(), texture(), nothing, nothing, 17, 3, 0.7)
    assert len(there) == len(found) == 0
