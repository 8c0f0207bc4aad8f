"""Hand-eye pose and scale from motion, or a sentence that says which motion is missing."""

from __future__ import annotations

import numpy as np
import pytest
from robot_world import T_BASE_WORLD, T_TOOL_CAMERA, RobotWorld

from endo_depth_ros.geometry.transforms import invert_transform
from endo_depth_ros.pose.hand_eye import (
    POSES_IN_PAIRS,
    HandEye,
    HandEyeError,
    PosePairs,
    guess_scale,
    refine,
    solve_linearly,
)
from endo_depth_ros.pose.lie import exp_se3, log_se3

SIGMA = np.array([np.radians(0.1)] * 3 + [0.0003] * 3)
UNITS = 0.4


def stretch(seed: int = 0, noise: float = 1.0, axes: int = 2, start_s: float = 0.0, count: int = 40) -> PosePairs:
    world, rng = RobotWorld(seed, axes=axes), np.random.default_rng(seed)
    true = np.stack([world.pose(start_s + 0.1 * index) for index in range(count)])
    by_vision = invert_transform(true[0]) @ true
    by_vision[:, :3, 3] /= UNITS
    noisy = true @ np.stack([exp_se3(noise * SIGMA * rng.normal(size=6)) for _ in range(count)])
    by_robot = T_BASE_WORLD @ noisy @ invert_transform(T_TOOL_CAMERA)
    return PosePairs(by_vision, by_robot, np.tile(SIGMA, (count, 1)))


def error(found: HandEye) -> np.ndarray:
    off = log_se3(invert_transform(T_TOOL_CAMERA) @ found.T_tool_camera)
    return np.concatenate([off, [found.log_scale - np.log(UNITS)]])


def test_exact_motion_is_solved_exactly() -> None:
    X, scale = solve_linearly([stretch(noise=0.0), stretch(noise=0.0, start_s=5.0)])
    np.testing.assert_allclose(X, T_TOOL_CAMERA, atol=1e-6)
    assert scale == pytest.approx(UNITS, rel=1e-5)


@pytest.mark.parametrize("count", [POSES_IN_PAIRS, POSES_IN_PAIRS + 1, 3 * POSES_IN_PAIRS])
def test_a_long_stretch_is_solved_exactly_from_some_of_its_poses(count: int) -> None:
    X, scale = solve_linearly([stretch(noise=0.0, count=count)])
    np.testing.assert_allclose(X, T_TOOL_CAMERA, atol=1e-6)
    assert scale == pytest.approx(UNITS, rel=1e-5)


@pytest.mark.parametrize("axes", [0, 1])
def test_rotation_about_fewer_than_two_axes_is_refused(axes: int) -> None:
    with pytest.raises(HandEyeError, match="turn it about two axes"):
        solve_linearly([stretch(axes=axes)])


def test_no_motion_is_refused() -> None:
    with pytest.raises(HandEyeError, match="two axes"):
        solve_linearly([stretch(count=1)])


def test_noise_is_averaged_and_the_covariance_covers_the_error() -> None:
    normalised = []
    for seed in range(12):
        found = refine([stretch(seed)], *solve_linearly([stretch(seed)]))
        normalised.append(error(found) @ np.linalg.solve(found.covariance, error(found)))
    assert 3.5 < np.mean(normalised) < 11.0  # chi square of 84 degrees of freedom / 12, about three sigma


def test_outliers_of_the_robot_count_little() -> None:
    pairs = stretch()
    pairs.T_base_tool[::9, :3, 3] += 0.02
    found = refine([pairs], *solve_linearly([stretch()]))
    assert abs(error(found)[6]) < 0.02


def test_a_given_hand_eye_pose_gives_the_scale_without_rotation() -> None:
    given = T_TOOL_CAMERA @ exp_se3(np.array([0.06, -0.05, 0.03, 0.003, 0.0, -0.004]))
    information = np.diag([np.radians(5) ** -2] * 3 + [0.01**-2] * 3)
    pairs = [stretch(axes=0)]
    found = refine(pairs, given, guess_scale(pairs, given), information)
    assert abs(error(found)[6]) < 0.02
    assert found.covariance[4, 4] == pytest.approx(0.01**2, rel=0.3)  # the position stays as unknown as it was


def test_stretches_need_not_fit_together() -> None:
    second = stretch(start_s=6.0)
    elsewhere = PosePairs(exp_se3(np.full(6, 0.5)) @ second.T_map_camera, second.T_base_tool, second.sigma)
    found = refine([stretch(), elsewhere], T_TOOL_CAMERA, 1.2 * UNITS)
    assert abs(error(found)[6]) < 0.01
