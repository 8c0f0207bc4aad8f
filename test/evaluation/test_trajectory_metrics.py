"""Trajectory errors against closed forms."""

import math
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from endo_depth_ros.evaluation import trajectory_metrics
from endo_depth_ros.evaluation.trajectory_metrics import (
    Alignment,
    associate,
    pairs_along_path,
    straight_line_error,
    trajectory_errors,
)
from endo_depth_ros.geometry.trajectory import Trajectory, TrajectoryError

PERIOD_NS = 33_333_333
EPOCH_NS = 1_700_000_000_000_000_000


def helix(count=60, radius=0.01, pitch=0.05, stamps_ns=None):
    """A camera on a helix that looks along its tangent, metres."""
    angle = np.linspace(0, 2 * np.pi, count)
    poses = np.tile(np.eye(4), (count, 1, 1))
    poses[:, :3, :3] = Rotation.from_euler("zyx", np.stack([angle, 0.3 * angle, 0.1 * angle], 1)).as_matrix()
    poses[:, :3, 3] = np.stack([radius * np.cos(angle), radius * np.sin(angle), pitch * angle / (2 * np.pi)], 1)
    stamps = EPOCH_NS + PERIOD_NS * np.arange(count) if stamps_ns is None else stamps_ns
    return Trajectory(stamps, poses)


def moved(trajectory, rotation, translation, scale):
    poses = trajectory.T_world_camera.copy()
    poses[:, :3, :3] = rotation @ poses[:, :3, :3]
    poses[:, :3, 3] = scale * poses[:, :3, 3] @ rotation.T + translation
    return Trajectory(trajectory.stamps_ns, poses)


@settings(max_examples=20, deadline=None)
@given(
    st.tuples(*[st.floats(-3, 3)] * 3),
    st.tuples(*[st.floats(-1, 1)] * 3),
    st.floats(0.05, 20),
    st.sampled_from([7, 60]),
)
def test_a_known_similarity_is_found_and_leaves_no_error(rotvec, translation, scale, count):
    truth = helix(count)
    estimate = moved(truth, Rotation.from_rotvec(rotvec).as_matrix(), translation, scale)
    errors = trajectory_errors(estimate, truth)
    assert errors.ate == pytest.approx(0, abs=1e-9)
    assert errors.scale == pytest.approx(1 / scale, rel=1e-6)
    assert errors.rpe_frame.translation == pytest.approx(0, abs=1e-9)
    assert errors.rpe_frame.rotation_deg == pytest.approx(0, abs=1e-4)
    assert errors.coverage == 1.0


def test_rigid_alignment_keeps_the_error_of_scale():
    truth = helix()
    errors = trajectory_errors(moved(truth, np.eye(3), [1, 2, 3], 1.1), truth, Alignment.SE3)
    spread = truth.positions - truth.positions.mean(axis=0)
    assert errors.ate == pytest.approx(0.1 * math.sqrt((spread**2).sum(axis=1).mean()), rel=1e-6)
    assert errors.scale == 1.0


def test_a_constant_offset_counts_only_without_alignment():
    truth = helix()
    estimate = moved(truth, np.eye(3), [0.003, 0, 0.004], 1.0)
    errors = trajectory_errors(estimate, truth, Alignment.NONE)
    assert errors.ate == pytest.approx(0.005)
    assert errors.ate_percent == pytest.approx(100 * 0.005 / truth.path_length)
    assert errors.rpe_frame.translation == pytest.approx(0, abs=1e-12)
    assert trajectory_errors(estimate, truth, Alignment.SE3).ate == pytest.approx(0, abs=1e-9)


def test_an_estimate_late_by_one_frame_is_off_by_one_step():
    count, step = 40, 0.001
    poses = np.tile(np.eye(4), (count, 1, 1))
    poses[:, 2, 3] = step * np.arange(count)
    truth = Trajectory(EPOCH_NS + PERIOD_NS * np.arange(count), poses)
    late = Trajectory(truth.stamps_ns[1:], poses[:-1])
    errors = trajectory_errors(late, truth, Alignment.NONE)
    assert errors.ate == pytest.approx(step)
    assert errors.rpe_frame.translation == pytest.approx(0, abs=1e-12)
    assert errors.coverage == pytest.approx((count - 1) / count)


def test_relative_rotation_error_is_the_extra_angle_per_frame():
    truth = helix()
    extra = Rotation.from_rotvec(np.radians(0.5) * np.arange(60)[:, None] * [[0, 0, 1]]).as_matrix()
    poses = truth.T_world_camera.copy()
    poses[:, :3, :3] = np.eye(3)
    still = Trajectory(truth.stamps_ns, poses)
    poses = poses.copy()
    poses[:, :3, :3] = extra
    errors = trajectory_errors(Trajectory(truth.stamps_ns, poses), still, Alignment.NONE)
    assert errors.rpe_frame.rotation_deg == pytest.approx(0.5, rel=1e-6)
    assert errors.rpe_frame.pairs == 59


def test_gaps_of_the_estimate_are_not_counted_as_one_frame():
    truth = helix(10)
    kept = np.array([0, 1, 2, 5, 6, 9])
    assert trajectory_errors(truth.at(kept), truth).rpe_frame.pairs == 3


def test_path_pairs_span_the_asked_length():
    poses = np.tile(np.eye(4), (11, 1, 1))
    poses[:, 0, 3] = 0.001 * np.arange(11)
    pairs = pairs_along_path(Trajectory(np.arange(11), poses), 0.004)
    assert pairs.tolist() == [[i, i + 4] for i in range(7)]
    assert pairs_along_path(Trajectory(np.arange(11), poses), 1.0).shape == (0, 2)


def test_a_path_shorter_than_the_asked_length_has_no_relative_error():
    errors = trajectory_errors(helix(), helix(), rpe_path_length=10.0)
    assert errors.rpe_path.pairs == 0
    assert math.isnan(errors.rpe_path.translation)


def test_constant_velocity_is_its_own_straight_line():
    poses = np.tile(np.eye(4), (9, 1, 1))
    stamps = np.array([0, 1, 2, 3, 10, 11, 12, 20, 30]) * PERIOD_NS
    poses[:, :3, 3] = stamps[:, None] * 1e-9 * [0.01, -0.02, 0.03] + np.ones(3)
    assert straight_line_error(Trajectory(stamps + EPOCH_NS, poses)) == pytest.approx(0, abs=1e-12)


def test_the_straight_line_through_a_zigzag_misses_by_its_amplitude():
    poses = np.tile(np.eye(4), (400, 1, 1))
    poses[:, 0, 3] = np.where(np.arange(400) % 2, 0.001, -0.001)
    assert straight_line_error(Trajectory(np.arange(400), poses)) == pytest.approx(0.001, rel=1e-3)


def test_stamps_within_tolerance_belong_together_once():
    estimate, truth = associate(np.array([0, 95, 101, 500]), np.array([1, 100, 300]), 10)
    assert (estimate.tolist(), truth.tolist()) == ([0, 2], [0, 1])


def test_nanoseconds_of_today_are_told_apart():
    estimate, _ = associate(np.array([EPOCH_NS + 3]), np.array([EPOCH_NS]), 2)
    assert len(estimate) == 0


def test_no_common_stamps_are_reported_with_the_tolerance():
    truth = helix()
    shifted = Trajectory(truth.stamps_ns + 10**12, truth.T_world_camera)
    with pytest.raises(TrajectoryError, match="0 of 60 true poses"):
        trajectory_errors(shifted, truth)


def test_a_standstill_cannot_be_aligned():
    truth = helix()
    still = Trajectory(truth.stamps_ns, np.tile(np.eye(4), (60, 1, 1)))
    with pytest.raises(TrajectoryError, match="stand still"):
        trajectory_errors(still, truth)


@pytest.mark.parametrize(
    ("stamps", "poses", "complaint"),
    [
        ([0, 1], np.tile(np.eye(4), (3, 1, 1)), "N, 4, 4"),
        ([1, 0], np.tile(np.eye(4), (2, 1, 1)), "rise"),
        ([0, 1], np.full((2, 4, 4), np.nan), "NaN"),
    ],
)
def test_broken_trajectories_are_refused(stamps, poses, complaint):
    with pytest.raises(TrajectoryError, match=complaint):
        Trajectory(np.array(stamps), poses)


def test_missing_evo_is_named_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "evo.core", None)
    with pytest.raises(TrajectoryError, match=r"pip install endo_depth_ros\[eval\]"):
        trajectory_metrics.trajectory_errors(helix(), helix())
