"""Depth times the field that it lacks: what stays, what changes, what sigma says."""

from __future__ import annotations

import numpy as np
import pytest

from endo_depth_ros.contracts import DepthEstimate, Frame, FrameStatus, Verdict
from endo_depth_ros.geometry.camera import pinhole_from_hfov
from endo_depth_ros.pose.depth_field import TERMS, DepthField
from endo_depth_ros.pose.refined_depth import LOCAL_SHARE, refine_depth

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
    after = refine_depth(before, DepthField(coefficients), 1.0)
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
    after = refine_depth(before, DepthField(), 1.0)
    valid = before.valid
    np.testing.assert_allclose(after.sigma[valid], np.sqrt(LOCAL_SHARE) * before.sigma[valid], rtol=1e-5)


@pytest.mark.parametrize("shared_error", [1.0, 2.4])
def test_what_is_not_known_of_the_field_is_in_sigma(shared_error: float) -> None:
    before = estimate()
    covariance = np.zeros((TERMS, TERMS))
    covariance[0, 0] = (0.3 * shared_error) ** 2
    after = refine_depth(before, DepthField(covariance=covariance), shared_error)
    valid = before.valid
    expected = np.sqrt(LOCAL_SHARE * 0.1**2 + 0.3**2) * before.depth[valid]
    np.testing.assert_allclose(after.sigma[valid], expected, rtol=1e-4)
