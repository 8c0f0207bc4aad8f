"""The robot's poses at the camera's times: smooth, on time, and none where there is no evidence."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endo_depth_ros.geometry.transforms import Transform, invert_transform
from endo_depth_ros.pose.kinematics import Kinematics
from endo_depth_ros.pose.lie import exp_se3, log_se3
from endo_depth_ros.pose.metric_settings import MetricScaleSettings
from endo_depth_ros.settings import SettingsError, make

STEP_NS = 20_000_000


def moving(t: float) -> Transform:
    """A tool that speeds up and turns."""
    return exp_se3(np.array([0.3 * t, 0.1 * t * t, 0.2, 0.02 * t, 0.05 * t * t, 0.3]))


def record(noise: float = 0.0, count: int = 50, seed: int = 0, **settings: float) -> Kinematics:
    rng = np.random.default_rng(seed)
    kinematics = Kinematics(MetricScaleSettings(**settings))
    for index in range(count):
        error = noise * rng.normal(size=6) * np.array([np.radians(0.3)] * 3 + [0.001] * 3)
        kinematics.add(index * STEP_NS, moving(index * STEP_NS / 1e9) @ exp_se3(error))
    return kinematics


@given(st.integers(10 * STEP_NS, 40 * STEP_NS))
def test_motion_between_samples_is_followed(stamp_ns: int) -> None:
    pose = record().pose_at(stamp_ns)
    assert pose is not None
    assert np.abs(log_se3(invert_transform(moving(stamp_ns / 1e9)) @ pose.T_base_tool)).max() < 2e-5


def test_the_robots_clock_is_shifted() -> None:
    pose = record(time_offset_s=0.05).pose_at(20 * STEP_NS + 50_000_000)
    assert pose is not None
    np.testing.assert_allclose(pose.T_base_tool, moving(20 * STEP_NS / 1e9), atol=2e-5)


def test_covariance_is_that_of_the_errors() -> None:
    stamp_ns = 25 * STEP_NS + 7_000_000
    normalised = []
    for seed in range(60):
        pose = record(noise=1.0, seed=seed, time_sigma_s=0.0).pose_at(stamp_ns)
        assert pose is not None
        error = log_se3(invert_transform(moving(stamp_ns / 1e9)) @ pose.T_base_tool)
        normalised.append(error @ np.linalg.solve(pose.covariance, error))
    assert 4.6 < np.mean(normalised) < 7.4  # chi square of 360 degrees of freedom / 60, three sigma


def test_an_uncertain_clock_widens_the_covariance_along_the_motion() -> None:
    sure, unsure = record(time_sigma_s=0.0).pose_at(10**9 // 2), record(time_sigma_s=0.1).pose_at(10**9 // 2)
    assert sure is not None
    assert unsure is not None
    wider = (unsure.covariance - sure.covariance)[3:, 3:]
    moved = moving(0.51)[:3, 3] - moving(0.49)[:3, 3]
    assert np.trace(wider) == pytest.approx(moved @ moved / 0.02**2 * 0.1**2, rel=0.01)
    assert np.linalg.matrix_rank(wider, tol=1e-9) == 1


@pytest.mark.parametrize("stamp_ns", [-1, 50 * STEP_NS, 10**12])
def test_there_is_no_pose_outside_the_samples(stamp_ns: int) -> None:
    assert record().pose_at(stamp_ns) is None


def test_gaps_are_not_bridged() -> None:
    kinematics = record(count=20, max_gap_s=0.1)
    for index in range(30, 50):
        kinematics.add(index * STEP_NS, moving(index * STEP_NS / 1e9))
    assert kinematics.pose_at(24 * STEP_NS) is None
    assert kinematics.pose_at(40 * STEP_NS) is not None


def test_samples_that_are_not_newer_are_refused() -> None:
    kinematics = record(count=5)
    assert not kinematics.add(4 * STEP_NS, np.eye(4))
    assert not kinematics.add(2 * STEP_NS, np.eye(4))
    assert kinematics.newest_ns == 4 * STEP_NS


def test_old_samples_are_forgotten() -> None:
    assert record(count=200, memory_s=1.0).pose_at(10 * STEP_NS) is None


def test_gaps_longer_than_the_smoothing_are_no_setting() -> None:
    with pytest.raises(SettingsError, match="max_gap_s"):
        make(MetricScaleSettings, {"max_gap_s": 1.0})
