"""Crops, zooms, rolls and flips keep depth and camera exact."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planes import HEIGHT, WIDTH, K, plane_depth

from training.sequence_file import View
from training.view_transform import ASKEW, TransformRanges, draw_transform, transform_camera, transform_view

PLANE = np.array([5.0, -8.0, 35.0])


def plane_view() -> View:
    depth = plane_depth(K, WIDTH, HEIGHT, PLANE)
    radiance = np.repeat((1 / depth**2)[..., None], 3, axis=2).astype(np.float32)
    return View(radiance, np.log(depth).astype(np.float32), np.zeros(depth.shape, bool), K)


def stereographic(points: np.ndarray, K: np.ndarray) -> np.ndarray:
    """Pixels of points [N, 3], homogeneous."""
    along = points[:, 2] + np.linalg.norm(points, axis=1)
    return np.column_stack([2 * points[:, :2] / along[:, None], np.ones(len(points))]) @ K.T


def octagon(width: int, height: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    across, down = np.abs(x - (width - 1) / 2) / width, np.abs(y - (height - 1) / 2) / height
    return (across < 0.45) & (down < 0.45) & (across + down < 0.7)


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 10_000))
def test_points_project_to_where_their_pixels_went(seed: int) -> None:
    rng = np.random.default_rng(seed)
    A = draw_transform(rng, (WIDTH, HEIGHT), octagon(64, 48), TransformRanges(2.0, roll=True, flip=True))
    new_K = transform_camera(K, A)
    points = np.column_stack([rng.uniform(-1, 1, (20, 2)), rng.uniform(0.5, 2.0, 20)])
    moved = stereographic(points, K) @ A.T
    # The roll and the mirror of the camera, about its axis: its depth does not change.
    turn = np.eye(3)
    turn[:2, :2] = A[:2, :2] / math.sqrt(abs(np.linalg.det(A[:2, :2])))
    turned = points @ turn.T
    np.testing.assert_allclose(turned[:, 2], points[:, 2], rtol=1e-12)
    np.testing.assert_allclose(stereographic(turned, new_K), moved, atol=1e-9)


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10_000), zoom=st.floats(1.0, 3.0))
def test_depth_of_a_plane_is_that_of_the_turned_plane(seed: int, zoom: float) -> None:
    rng = np.random.default_rng(seed)
    scope = octagon(64, 48)
    A = draw_transform(rng, (WIDTH, HEIGHT), scope, TransformRanges(zoom, roll=True, flip=True))
    seen = transform_view(plane_view(), A, 64, 48)
    turn = np.eye(3)
    turn[:2, :2] = A[:2, :2] / math.sqrt(abs(np.linalg.det(A[:2, :2])))
    truth = np.log(plane_depth(seen.K, 64, 48, turn @ PLANE))
    np.testing.assert_allclose(seen.log_depth[scope], truth[scope], atol=2e-3)


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 10_000), roll=st.booleans(), flip=st.booleans())
def test_the_whole_field_of_view_is_rendered(seed: int, roll: bool, flip: bool) -> None:
    rng = np.random.default_rng(seed)
    scope = octagon(64, 64)
    A = draw_transform(rng, (WIDTH, HEIGHT), scope, TransformRanges(1.5, roll, flip))
    v, u = np.nonzero(scope)
    source = np.linalg.inv(A) @ np.stack([u, v, np.ones_like(u)])
    assert source[:2].min() >= -1e-6
    assert (source[0].max(), source[1].max()) <= (WIDTH - 1 + 1e-6, HEIGHT - 1 + 1e-6)
    assert source[1].max() <= HEIGHT - 1 + 1e-6


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 10_000), angle=st.floats(-math.pi, math.pi), flip=st.booleans())
def test_an_upright_view_has_down_below(seed: int, angle: float, flip: bool) -> None:
    down = np.array([math.cos(angle), math.sin(angle)])
    ranges = TransformRanges(1.5, roll=True, flip=flip, upright=1.0)
    A = draw_transform(np.random.default_rng(seed), (WIDTH, HEIGHT), octagon(64, 48), ranges, down)
    shown = A[:2, :2] @ down
    assert abs(math.atan2(shown[0], shown[1])) < 5 * ASKEW


def test_views_without_a_down_and_a_share_of_the_others_are_turned_by_any_angle() -> None:
    def angles(down: np.ndarray | None, upright: float) -> np.ndarray:
        ranges = TransformRanges(1.5, roll=True, flip=False, upright=upright)
        drawn = [
            draw_transform(np.random.default_rng(seed), (WIDTH, HEIGHT), octagon(64, 48), ranges, down)
            for seed in range(200)
        ]
        return np.abs([math.atan2(A[0, 1], A[1, 1]) for A in drawn])

    below = np.array([0.0, 1.0])
    assert (angles(None, 1.0) > math.pi / 2).mean() == pytest.approx(0.5, abs=0.15)
    assert (angles(below, 0.5) > math.pi / 2).mean() == pytest.approx(0.25, abs=0.12)
    assert not (angles(below, 1.0) > math.pi / 2).any()


def test_nothing_lies_between_two_surfaces() -> None:
    view = plane_view()
    log_depth = np.full((HEIGHT, WIDTH), math.log(0.02), np.float32)
    log_depth[:, WIDTH // 2 :] = math.log(0.08)
    step = View(view.radiance, log_depth, view.instrument, K)
    A = np.array([[1.7, 0.3, -20.0], [-0.3, 1.7, -10.0], [0, 0, 1.0]])
    seen = transform_view(step, A, 96, 80).log_depth
    known = seen[np.isfinite(seen)]
    assert known.size > 4000
    distance = np.minimum(np.abs(known - math.log(0.02)), np.abs(known - math.log(0.08)))
    assert distance.max() < 1e-5


def test_depth_is_unknown_where_nothing_was_rendered() -> None:
    A = np.array([[1.0, 0, 200.0], [0, 1.0, 0], [0, 0, 1.0]])
    assert np.isnan(transform_view(plane_view(), A, WIDTH, HEIGHT).log_depth).all()


def test_a_zoom_is_a_longer_focal_length() -> None:
    A = np.array([[2.0, 0, -10.0], [0, 2.0, -6.0], [0, 0, 1.0]])
    zoomed = transform_camera(K, A)
    assert zoomed[0, 0] == pytest.approx(2 * K[0, 0])
    assert (zoomed[0, 2], zoomed[1, 2]) == pytest.approx((2 * K[0, 2] - 10, 2 * K[1, 2] - 6))
