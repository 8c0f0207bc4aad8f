"""Temporal alignment error against cases with a known answer."""

import math

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from endo_depth_ros.evaluation.temporal import (
    PixelConvention,
    PosedDepth,
    carry_depth,
    pair_errors,
    temporal_errors,
)

K = np.array([[20.0, 0, 9.5], [0, 20.0, 7.5], [0, 0, 1]])
SIZE = (16, 20)


def pose(x=0.0, y=0.0, z=0.0, rotvec=(0, 0, 0)):
    T = np.eye(4)
    T[:3, :3] = Rotation.from_rotvec(rotvec).as_matrix()
    T[:3, 3] = x, y, z
    return T


def wall(distance, T):
    """True depth of the plane z = distance of the world for a camera at T."""
    v, u = np.mgrid[: SIZE[0], : SIZE[1]]
    rays = np.stack([u, v, np.ones(SIZE)], -1) @ np.linalg.inv(K).T @ T[:3, :3].T
    return (distance - T[2, 3]) / rays[..., 2]


def posed(depth, T, valid=None):
    return PosedDepth(depth, np.ones(SIZE, bool) if valid is None else valid, K, T)


def test_true_depth_of_a_moving_camera_agrees():
    poses = [pose(z=0.002 * index) for index in range(4)]
    errors = temporal_errors([posed(wall(0.1, T), T) for T in poses])
    assert errors.tae == pytest.approx(0, abs=1e-9)
    assert (errors.tas, errors.pairs, errors.convention) == (1.0, 3, PixelConvention.CENTRES)


def test_a_turned_camera_needs_the_pose_the_right_way_round():
    poses = [pose(rotvec=(0, 0.1 * index, 0)) for index in range(3)]
    depths = [wall(0.1, T) for T in poses]
    assert temporal_errors(posed(d, T) for d, T in zip(depths, poses, strict=True)).tae < 1
    inverted = [np.linalg.inv(T) for T in poses]
    assert temporal_errors(posed(d, T) for d, T in zip(depths, inverted, strict=True)).tae > 3


def test_the_error_of_a_flickering_scale_by_hand():
    T = pose()
    errors = temporal_errors([posed(np.full(SIZE, 0.1), T), posed(np.full(SIZE, 0.125), T)])
    # |0.1 - 0.125| / 0.125 forth, |0.125 - 0.1| / 0.1 back.
    assert errors.tae == pytest.approx(100 * (0.2 + 0.25) / 2)
    assert errors.tas == pytest.approx(0.0)


def test_the_error_of_a_pair_is_relative_to_the_frame_that_is_moved_into():
    near, far = posed(np.full(SIZE, 0.1), pose()), posed(np.full(SIZE, 0.125), pose())
    assert pair_errors(near, far, PixelConvention.CENTRES) == (pytest.approx(0.2), 0.0)
    assert pair_errors(far, near, PixelConvention.CENTRES) == (pytest.approx(0.25), 0.0)


def test_turns_and_shifts_together_carry_depth_onto_the_same_surface():
    moves = [pose(rotvec=(0, 0, 1.5)), pose(z=0.03, rotvec=(0.3, 0, 1.5))]
    depths = [wall(0.1, T) for T in moves]
    assert temporal_errors(posed(d, T) for d, T in zip(depths, moves, strict=True)).tae < 1


def test_only_pixels_valid_in_both_frames_are_compared():
    T = pose()
    left = np.zeros(SIZE, bool)
    left[:, :10] = True
    first = np.where(left, 0.1, 5.0)
    errors = temporal_errors([posed(first, T, left), posed(np.full(SIZE, 0.1), T)])
    assert errors.tae == pytest.approx(0)


def test_moved_points_land_on_the_nearest_pixel():
    depth = np.full(SIZE, np.nan)
    depth[7, 5] = 0.1
    carried = carry_depth(posed(depth, pose()), posed(depth, pose(x=-0.1 * 2.4 / 20)), PixelConvention.CENTRES)
    assert np.argwhere(np.isfinite(carried)).tolist() == [[7, 7]]
    assert carried[7, 7] == pytest.approx(0.1)


def test_the_half_pixel_convention_makes_pixels_meet_without_motion():
    depth = np.full(SIZE, 0.1)
    centres = carry_depth(posed(depth, pose()), posed(depth, pose()), PixelConvention.CENTRES)
    halves = carry_depth(posed(depth, pose()), posed(depth, pose()), PixelConvention.HALF_PIXEL)
    assert np.isfinite(centres).all()
    assert np.isfinite(halves).mean() < 0.6


def test_of_points_on_one_pixel_the_last_in_row_order_stays():
    depth = np.full(SIZE, np.nan)
    depth[3, 4], depth[9, 9] = 0.1, 0.2
    one_pixel = PosedDepth(
        np.ones((1, 1)), np.ones((1, 1), bool), np.array([[1e-6, 0, 0], [0, 1e-6, 0], [0, 0, 1]]), pose()
    )
    assert carry_depth(posed(depth, pose()), one_pixel, PixelConvention.CENTRES)[0, 0] == pytest.approx(0.2)


def test_points_behind_the_camera_are_not_carried():
    depth = np.full(SIZE, 0.1)
    assert np.isnan(carry_depth(posed(depth, pose()), posed(depth, pose(z=0.2)), PixelConvention.CENTRES)).all()


def test_frames_without_a_common_pixel_are_no_pair():
    nothing = np.full(SIZE, np.nan)
    errors = temporal_errors([posed(nothing, pose()), posed(nothing, pose())])
    assert math.isnan(errors.tae)
    assert errors.pairs == 0
