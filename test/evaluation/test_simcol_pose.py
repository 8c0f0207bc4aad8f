"""Trajectory errors of the SimCol3D challenge."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from endo_depth_ros.evaluation.simcol_pose import simcol_pose_errors
from endo_depth_ros.geometry.trajectory import TrajectoryError


def line(steps, turn_deg=0.0):
    """Poses that go `steps` along x, each turned about z by turn_deg more than the one before."""
    poses = np.tile(np.eye(4), (len(steps) + 1, 1, 1))
    for index, step in enumerate(steps):
        T = np.eye(4)
        T[:3, :3] = Rotation.from_euler("z", turn_deg, degrees=True).as_matrix()
        T[0, 3] = step
        poses[index + 1] = poses[index] @ T
    return poses


def test_medians_of_a_path_with_one_wrong_step_by_hand():
    truth, estimate = line([1.0] * 5), line([1.0, 1.0, 1.0, 1.0, 6.0])
    errors = simcol_pose_errors(estimate, truth)
    scale = (4 * 1 + 6) / (4 + 36)
    assert errors.scale == pytest.approx(scale)
    assert errors.rte == pytest.approx(abs(scale - 1))
    distances = np.abs(scale * np.array([0, 1, 2, 3, 4, 10]) - np.array([0, 1, 2, 3, 4, 5]))
    assert errors.ate == pytest.approx(np.median(distances))


def test_rotation_is_the_median_of_relative_turns_in_degrees():
    assert simcol_pose_errors(line([1.0] * 4, 3.0), line([1.0] * 4)).rotation_deg == pytest.approx(3.0)


def test_paths_are_compared_from_a_common_start():
    truth = line([1.0, 2.0, 3.0], 10.0)
    T = np.eye(4)
    T[:3, :3], T[:3, 3] = Rotation.from_rotvec([0.3, -1, 0.2]).as_matrix(), [5, 6, 7]
    estimate = truth.copy()
    estimate[:, :3, 3] *= 0.1
    errors = simcol_pose_errors(T @ estimate, truth)
    assert (errors.ate, errors.rte) == (pytest.approx(0, abs=1e-9), pytest.approx(0, abs=1e-9))
    assert errors.scale == pytest.approx(10)


def test_a_camera_that_never_moves_is_refused():
    with pytest.raises(TrajectoryError, match="never moves"):
        simcol_pose_errors(line([0.0, 0.0]), line([1.0, 1.0]))
