"""Exponential, logarithm and adjoint belong together."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from endo_depth_ros.geometry.transforms import invert_transform
from endo_depth_ros.pose.lie import adjoint, exp_se3, log_se3, skew

TWISTS = arrays(np.float64, 6, elements=st.floats(-1.5, 1.5))


@given(TWISTS)
def test_logarithm_undoes_exponential(twist: np.ndarray) -> None:
    np.testing.assert_allclose(log_se3(exp_se3(twist)), twist, atol=1e-7)


def test_exponential_of_a_screw_is_the_known_motion() -> None:
    T = exp_se3(np.array([0, 0, np.pi / 2, np.pi / 2, 0, 1.0]))
    np.testing.assert_allclose(T[:3, 3], [1, 1, 1], atol=1e-12)
    np.testing.assert_allclose(T[:3, :3] @ [1, 0, 0], [0, 1, 0], atol=1e-12)


@given(TWISTS, TWISTS)
def test_adjoint_moves_twists_between_frames(pose: np.ndarray, twist: np.ndarray) -> None:
    T = exp_se3(pose)
    np.testing.assert_allclose(exp_se3(adjoint(T) @ twist), T @ exp_se3(twist) @ invert_transform(T), atol=1e-6)


def test_skew_is_the_cross_product() -> None:
    v, w = np.array([1.0, 2, 3]), np.array([-4.0, 5, 0.5])
    np.testing.assert_allclose(skew(v) @ w, np.cross(v, w))
    assert skew(np.zeros((4, 5, 3))).shape == (4, 5, 3, 3)
