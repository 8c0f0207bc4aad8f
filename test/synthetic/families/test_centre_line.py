"""Coordinates along curves against straight lines, circles and the nearest of many points."""

import numpy as np
import pytest
import torch

from endo_depth_ros.synthetic.families.centre_line import CentreLine, draw_bends

BEND = 0.05


def straight():
    return CentreLine(np.linspace((0, 0, 0), (0, 0, 0.1), 12))


def quarter_circle():
    angle = np.linspace(0, np.pi / 2, 24)
    return CentreLine(BEND * np.stack([1 - np.cos(angle), 0 * angle, np.sin(angle)], axis=1))


def cloud(spread, seed=0, count=400):
    return torch.tensor(np.random.default_rng(seed).uniform(-spread, spread, (3, count)), dtype=torch.float32)


def test_along_a_straight_line_s_is_z():
    points = cloud(0.01) + torch.tensor([[0.0], [0.0], [0.05]])
    s, u, v = straight().coordinates(points)
    assert s == pytest.approx(points[2], abs=1e-6)
    assert torch.hypot(u, v) == pytest.approx(torch.hypot(points[0], points[1]), abs=1e-6)


def test_beyond_its_ends_a_curve_goes_straight_on():
    s, u, v = straight().coordinates(torch.tensor([[0.003], [0.0], [0.12]]))
    assert (float(s), float(torch.hypot(u, v))) == pytest.approx((0.12, 0.003), abs=1e-6)


def test_round_a_bend_s_is_the_angle():
    angle, offset = np.array([0.3, 0.8, 1.2]), np.array([-0.02, 0.01, 0.025])
    arm = BEND - offset
    points = np.stack([BEND - arm * np.cos(angle), 0 * angle, arm * np.sin(angle)])
    s, u, v = quarter_circle().coordinates(torch.tensor(points, dtype=torch.float32))
    assert s.numpy() == pytest.approx(BEND * angle, abs=1e-4)
    assert torch.hypot(u, v).numpy() == pytest.approx(np.abs(offset), abs=1e-5)


def test_world_points_come_back_from_their_coordinates():
    line = CentreLine(draw_bends(np.random.default_rng(2), 0.12, 30, 0.08))
    points = np.array([line.at(s, 0.006, -0.004) for s in np.linspace(0.02, 0.1, 30)])
    s, u, v = line.coordinates(torch.tensor(points.T, dtype=torch.float32))
    assert s.numpy() == pytest.approx(np.linspace(0.02, 0.1, 30), abs=3e-4)
    assert u.numpy() == pytest.approx(np.full(30, 0.006), abs=3e-4)
    assert v.numpy() == pytest.approx(np.full(30, -0.004), abs=3e-4)


def test_the_nearest_point_is_that_of_many():
    line = CentreLine(draw_bends(np.random.default_rng(5), 0.1, 40, 0.08))
    points = cloud(0.03, 1)
    distance = line.nearest(points)[3].numpy()
    brute = np.linalg.norm(points.numpy().T[:, None] - line.points[None], axis=2).min(axis=1)
    assert (distance < brute + 3e-5).all()
    assert distance == pytest.approx(brute, abs=2e-4)


def test_frames_do_not_twist():
    line = CentreLine(draw_bends(np.random.default_rng(3), 0.2, 50, 0.05))
    frames = np.array([line.frame(s) for s in np.linspace(0, line.length, 200)])
    turns = np.degrees(np.arccos(np.clip((frames[1:, :, 0] * frames[:-1, :, 0]).sum(axis=1), -1, 1)))
    bends = np.degrees(np.arccos(np.clip((frames[1:, :, 2] * frames[:-1, :, 2]).sum(axis=1), -1, 1)))
    assert (turns <= bends + 0.05).all()
    assert frames[77].T @ frames[77] == pytest.approx(np.eye(3), abs=1e-5)


def test_bends_start_along_z_and_have_their_length():
    knots = draw_bends(np.random.default_rng(0), 0.15, 30, 0.1)
    assert knots[1] - knots[0] == pytest.approx([0, 0, 4e-3])
    assert np.linalg.norm(np.diff(knots, axis=0), axis=1).sum() == pytest.approx(0.15, abs=0.009)
