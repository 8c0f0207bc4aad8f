"""Depth with what motion says that it lacks: what stays, what changes, what sigma says."""

from __future__ import annotations

import numpy as np
import pytest

from endo_depth_ros.contracts import DepthEstimate, Frame, FrameStatus, Verdict
from endo_depth_ros.geometry.camera import pinhole_from_hfov
from endo_depth_ros.pose.depth_field import TERMS, DepthField
from endo_depth_ros.pose.local_depth import LOCAL_SHARE, DepthPoints
from endo_depth_ros.pose.refined_depth import DepthFromMotion, refine_depth
from endo_depth_ros.pose.robust import cauchy_weights

SHAPE = (48, 64)


def estimate() -> DepthEstimate:
    depth = np.linspace(0.02, 0.08, SHAPE[0] * SHAPE[1], dtype=np.float32).reshape(SHAPE)
    depth[0, 0], depth[0, 1], depth[0, 2] = np.nan, np.inf, -np.inf
    sigma = np.where(np.isfinite(depth), np.float32(0.1) * depth, np.float32(np.nan))
    frame = Frame(1, "camera", np.zeros((*SHAPE, 3), np.uint8), pinhole_from_hfov(SHAPE[1], SHAPE[0], 80.0))
    return DepthEstimate(frame, depth, sigma, FrameStatus(1, Verdict.OK))


def test_depth_is_multiplied_and_what_has_none_stays_as_it_is() -> None:
    before = estimate()
    coefficients = np.append([np.log(1.1), 0.05], np.zeros(TERMS - 2))
    after = refine_depth(before, DepthFromMotion(DepthField(coefficients)), 1.0)
    valid = before.valid
    expected = before.depth[valid] * np.exp(DepthField(coefficients).log_factor(SHAPE))[valid]
    np.testing.assert_allclose(after.depth[valid], expected, rtol=1e-6)
    assert np.array_equal(after.depth[~valid], before.depth[~valid], equal_nan=True)
    assert np.isnan(after.sigma[~valid]).all()
    assert after.frame is before.frame
    assert after.status == before.status
    assert after.depth.dtype == after.sigma.dtype == np.float32


def test_a_field_that_is_known_exactly_leaves_the_local_share_of_sigma() -> None:
    before = estimate()
    after = refine_depth(before, DepthFromMotion(DepthField()), 1.0)
    valid = before.valid
    np.testing.assert_allclose(after.sigma[valid], np.sqrt(LOCAL_SHARE) * before.sigma[valid], rtol=1e-5)


@pytest.mark.parametrize("shared_error", [1.0, 2.4])
def test_what_is_not_known_of_the_field_is_in_sigma(shared_error: float) -> None:
    before = estimate()
    covariance = np.zeros((TERMS, TERMS))
    covariance[0, 0] = (0.3 * shared_error) ** 2
    after = refine_depth(before, DepthFromMotion(DepthField(covariance=covariance)), shared_error)
    valid = before.valid
    expected = np.sqrt(LOCAL_SHARE * 0.1**2 + 0.3**2) * before.depth[valid]
    np.testing.assert_allclose(after.sigma[valid], expected, rtol=1e-4)


@pytest.mark.parametrize("shared_error", [1.0, 2.4])
def test_points_count_for_what_the_smooth_field_leaves(shared_error: float) -> None:
    before, scale = estimate(), DepthField(np.append([np.log(1.1)], np.zeros(TERMS - 1)))
    at = before.depth[30, 40].astype(np.float64)
    seen = DepthPoints(np.array([[40.0, 30.0]]), np.log([1.1 * 1.05 * at]), np.array([0.02]))
    after = refine_depth(before, DepthFromMotion(scale, seen), shared_error)
    local, noise = LOCAL_SHARE * 0.1**2, (0.02 * shared_error) ** 2
    noise = (local + noise) / cauchy_weights(np.array(np.log(1.05) / np.sqrt(local + noise))) - local
    off = np.log(1.05) * local / (local + noise)
    assert np.log(after.depth[30, 40] / (1.1 * at)) == pytest.approx(off, rel=0.03)
    # Sigma is computed at a few places and interpolated, which makes it a little too wide at a single point.
    ratio = after.sigma[30, 40] / after.depth[30, 40] / np.sqrt(local * noise / (local + noise))
    assert 1 - 1e-3 < ratio < 1.25
    # Far from it only the smooth field is known.
    assert after.depth[5, 5] == pytest.approx(1.1 * before.depth[5, 5], rel=1e-4)


def test_pixels_without_depth_stay_without_beside_points() -> None:
    before = estimate()
    seen = DepthPoints(np.array([[0.0, 0.0], [1.0, 0.0], [4.0, 1.0]]), np.log([0.03, 0.03, 0.021]), np.full(3, 0.01))
    after = refine_depth(before, DepthFromMotion(DepthField(), seen), 2.4)
    assert np.array_equal(after.depth[~before.valid], before.depth[~before.valid], equal_nan=True)
    assert np.isfinite(after.depth[before.valid]).all()
    assert np.isfinite(after.sigma[before.valid]).all()


@pytest.mark.parametrize("missing", [np.nan, np.inf])
def test_pixels_with_depth_but_without_sigma_keep_their_depth(missing: float) -> None:
    before = estimate()
    before.sigma[20:30] = missing
    seen = DepthPoints(np.array([[40.0, 25.0], [40.0, 35.0]]), np.log([0.05, 0.05]), np.full(2, 0.02))
    after = refine_depth(before, DepthFromMotion(DepthField(), seen), 2.4)
    assert np.array_equal(after.valid, before.valid)
    np.testing.assert_allclose(after.depth[20:30], before.depth[20:30], rtol=1e-6)
