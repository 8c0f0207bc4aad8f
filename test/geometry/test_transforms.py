"""Rigid transforms keep their promises for any pose."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from endo_depth_ros.geometry.transforms import invert_transform, pose_matrix, quaternion_xyzw, transform_points

POSITIONS = hnp.arrays(np.float64, 3, elements=st.floats(-10, 10))
QUATERNIONS = hnp.arrays(np.float64, 4, elements=st.floats(-1, 1)).filter(lambda q: np.linalg.norm(q) > 0.1)


@given(POSITIONS, QUATERNIONS, POSITIONS)
def test_inverse_brings_points_back(position, quaternion, point):
    T_a_b = pose_matrix(position, quaternion)
    back = transform_points(invert_transform(T_a_b), transform_points(T_a_b, point))
    np.testing.assert_allclose(back, point, atol=1e-9)
    np.testing.assert_allclose(invert_transform(T_a_b) @ T_a_b, np.eye(4), atol=1e-9)


@given(POSITIONS, QUATERNIONS)
def test_quaternion_comes_back_with_positive_w(position, quaternion):
    result = quaternion_xyzw(pose_matrix(position, quaternion))
    assert result[3] >= 0
    unit = quaternion / np.linalg.norm(quaternion)
    assert abs(result @ unit) == pytest.approx(1)


def test_points_of_b_are_mapped_into_a():
    # b stands at (1, 2, 3) in a and is turned by 90 degrees about z: b's x axis is a's y axis.
    T_a_b = pose_matrix([1, 2, 3], [0, 0, np.sqrt(0.5), np.sqrt(0.5)])
    np.testing.assert_allclose(transform_points(T_a_b, np.array([[1.0, 0, 0], [0, 0, 0]])), [[1, 3, 3], [1, 2, 3]])


def test_zero_quaternion_is_refused():
    with pytest.raises(ValueError, match="norm"):
        pose_matrix([0, 0, 0], [0, 0, 0, 0])
