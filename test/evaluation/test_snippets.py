"""Windowed trajectory errors as published: divided by N, one scale a window."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from endo_depth_ros.evaluation.snippets import relative_poses, rotation_angle, snippet_errors
from endo_depth_ros.geometry.trajectory import TrajectoryError


def path(count=12, seed=0):
    """Poses T_world_camera of a wandering camera, [N, 4, 4]."""
    rng = np.random.default_rng(seed)
    poses = np.tile(np.eye(4), (count, 1, 1))
    poses[:, :3, :3] = Rotation.from_rotvec(np.cumsum(rng.normal(0, 0.02, (count, 3)), axis=0)).as_matrix()
    poses[:, :3, 3] = np.cumsum(rng.normal(0.5, 0.3, (count, 3)), axis=0)
    return poses


def literal(estimate, truth, length=5):
    """The published computation, written out from its description with explicit inverses and loops."""
    P = [np.linalg.inv(T) for T in truth]
    gt = [P[i + 1] @ np.linalg.inv(P[i]) for i in range(len(P) - 1)]
    E = [np.linalg.inv(T) for T in estimate]
    pred = [E[i + 1] @ np.linalg.inv(E[i]) for i in range(len(E) - 1)]
    ates, angles = [], []
    for i in range(len(gt) - 1):
        g_xyz, p_xyz, g_R, p_R = [np.zeros(3)], [np.zeros(3)], [np.eye(3)], [np.eye(3)]
        M, N = np.eye(4), np.eye(4)
        for T, U in zip(gt[i : i + length - 1], pred[i : i + length - 1], strict=True):
            M, N = M @ T, N @ U
            g_xyz.append(M[:3, 3])
            p_xyz.append(N[:3, 3])
            g_R.append(M[:3, :3])
            p_R.append(N[:3, :3])
        g_xyz, p_xyz = np.array(g_xyz), np.array(p_xyz)
        scale = np.sum(g_xyz * p_xyz) / np.sum(p_xyz**2)
        ates.append(np.sqrt(np.sum((scale * p_xyz - g_xyz) ** 2)) / len(g_xyz))
        angles.append(np.mean([Rotation.from_matrix(a @ b.T).magnitude() for a, b in zip(g_R, p_R, strict=True)]))
    return np.mean(ates), np.std(ates), np.mean(angles), len(ates)


@given(st.integers(0, 1000), st.integers(3, 12))
def test_errors_equal_the_published_computation(seed, count):
    truth, estimate = path(count, seed), path(count, seed + 1)
    errors = snippet_errors(estimate, truth)
    ate, ate_std, angle, windows = literal(estimate, truth)
    assert errors.ate == pytest.approx(ate, rel=1e-9)
    assert errors.ate_std == pytest.approx(ate_std, abs=1e-9)
    assert errors.rotation_rad == pytest.approx(angle, abs=1e-7)
    assert errors.windows == windows == count - 2


def test_a_straight_path_that_goes_sideways_by_hand():
    truth, estimate = np.tile(np.eye(4), (5, 1, 1)), np.tile(np.eye(4), (5, 1, 1))
    truth[:, 0, 3], estimate[:, 1, 3] = np.arange(5), np.arange(5)
    errors = snippet_errors(estimate, truth)
    # Orthogonal paths: the scale is 0 and the error the truth itself. Windows of 5, 4 and 3 points.
    distances = [math.sqrt(0 + 1 + 4 + 9 + 16), math.sqrt(0 + 1 + 4 + 9), math.sqrt(0 + 1 + 4)]
    expected = [d / n for d, n in zip(distances, (5, 4, 3), strict=True)]
    assert errors.ate == pytest.approx(np.mean(expected))
    assert errors.rmse == pytest.approx(np.mean([d / math.sqrt(n) for d, n in zip(distances, (5, 4, 3), strict=True)]))
    assert errors.standstill_ate == pytest.approx(errors.ate)


def test_a_scale_is_forgiven_window_by_window():
    truth = path()
    estimate = truth.copy()
    estimate[:, :3, 3] *= 7.0
    assert snippet_errors(estimate, truth).ate == pytest.approx(0, abs=1e-9)


def test_standing_still_is_its_own_baseline():
    truth = path()
    still = np.tile(np.eye(4), (len(truth), 1, 1))
    errors = snippet_errors(still, truth)
    assert errors.ate == pytest.approx(errors.standstill_ate)


def test_relative_poses_map_the_camera_into_the_next_one():
    truth = path()
    point = np.array([0.1, 0.2, 0.3, 1.0])
    world = truth[3] @ point
    assert relative_poses(truth)[3] @ point == pytest.approx(np.linalg.inv(truth[4]) @ world)


def test_small_rotations_keep_their_angle():
    assert rotation_angle(Rotation.from_rotvec([0, 1e-9, 0]).as_matrix()) == pytest.approx(1e-9, rel=1e-6)


def test_windows_with_a_lost_frame_are_left_out_and_counted():
    truth = path(12)
    estimate = truth.copy()
    estimate[6] = np.nan
    errors = snippet_errors(estimate, truth)
    assert errors.ate == pytest.approx(0, abs=1e-9)
    # Of the windows that start at 0 … 9 those at 2 … 6 need frame 6.
    assert (errors.windows, errors.coverage) == (5, 0.5)
    assert math.isnan(snippet_errors(np.full_like(truth, np.nan), truth).ate)


def test_half_a_trajectory_is_refused():
    with pytest.raises(TrajectoryError, match="6 estimated and 12 true poses"):
        snippet_errors(path()[:6], path())
