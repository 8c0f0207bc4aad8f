"""Points that are moved out of tissue, in spaces whose walls are known."""

import numpy as np
import pytest
import torch

from endo_depth_ros.synthetic.free_space import PROBES, first_wall, is_clear, keep_clear


def ball(points):
    """Free inside 20 mm around the origin."""
    return 0.02 - points.norm(dim=0)


def slit(points):
    """Free between x = -3 mm and 3 mm."""
    return 0.003 - points[0].abs()


def random_points(reach):
    return np.random.default_rng(0).uniform(-reach, reach, (60, 3))


def test_probes_are_unit_vectors_on_all_sides():
    assert np.linalg.norm(PROBES, axis=1) == pytest.approx(np.ones(len(PROBES)))
    assert PROBES.mean(axis=0) == pytest.approx(np.zeros(3), abs=0.02)


def test_points_in_tissue_come_out_with_the_margin():
    margin = np.full(60, 0.003)
    moved = keep_clear(ball, random_points(0.02), margin, rounds=80)
    assert (np.linalg.norm(moved, axis=1) < 0.0175).all()
    assert is_clear(ball, moved, margin).all()


def test_points_with_room_stay_where_they_are():
    points = random_points(0.008)
    assert np.array_equal(keep_clear(ball, points, np.full(60, 0.003)), points)


def test_too_much_margin_ends_in_the_middle():
    moved = keep_clear(slit, random_points(0.0025), np.full(60, 0.01), rounds=40)
    assert np.abs(moved[:, 0]).max() < 0.003


def test_clear_means_the_point_and_what_is_around_it():
    points = np.array([[0, 0, 0], [0, 0, 0.018], [0, 0, 0.03]])
    assert is_clear(ball, points, np.full(3, 0.003)).tolist() == [True, False, False]


def test_the_first_wall_is_where_it_is_to_a_sixth():
    points = np.array([[0, 0, 0.005], [0, 0, -0.01]])
    distance = first_wall(ball, points, np.array([0, 0, 1.0]))
    assert distance[0] == pytest.approx(0.015, rel=0.16)
    assert distance[1] == pytest.approx(0.03, rel=0.16)


def test_without_a_wall_the_search_ends():
    nothing = first_wall(lambda points: torch.ones(points.shape[1]), np.zeros((1, 3)), np.array([1.0, 0, 0]))
    assert nothing == pytest.approx(0.12, rel=0.05)
