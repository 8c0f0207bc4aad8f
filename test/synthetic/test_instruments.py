"""Instruments and debris: drawn from the seed, moved by time, in view."""

import numpy as np
import pytest
import torch

from endo_depth_ros.synthetic.instruments import draw_debris, draw_instrument, draw_solids
from endo_depth_ros.synthetic.surface_view import DEBRIS, INSTRUMENT

WAY = np.stack([np.zeros(10), np.zeros(10), np.linspace(0, 0.1, 10)], axis=1)
ROOM = 0.02
SEEDS = range(40)


def instrument(seed, room=ROOM):
    return draw_instrument(np.random.default_rng(seed), room, (0.05 * room, 0.5 * room))


def test_a_seed_draws_the_same_things_and_another_others():
    poses = [instrument(seed).pose(1.7) for seed in (4, 4, 5)]
    assert np.array_equal(poses[0], poses[1])
    assert not np.array_equal(poses[0], poses[2])


@pytest.mark.parametrize("room", [0.003, 0.02, 0.08])
def test_tips_are_in_front_of_the_camera_and_shafts_come_from_behind_it(room):
    for seed in SEEDS:
        tool = instrument(seed, room)
        placed = tool.at(0.5, np.eye(4))
        shaft = placed.a[0].numpy()
        assert tool.pose(0.5)[2, 3] > 0.2 * room
        assert shaft[2] < 0


def test_shafts_pass_beside_the_lens():
    lens = [instrument(seed).at(0.0, np.eye(4)).clearance(torch.zeros(3, 1)).item() for seed in SEEDS]
    assert min(lens) > 3e-4


def test_instruments_of_a_rigid_scope_pass_far_from_its_lens():
    for seed in SEEDS:
        solids = draw_solids(np.random.default_rng(seed), WAY, ROOM, rigid=True)
        for tool in (solid for solid in solids if solid.material == INSTRUMENT):
            assert tool.at(0.0, np.eye(4)).clearance(torch.zeros(3, 1)).item() > 0.004


def test_poses_are_rigid_and_move():
    for seed in SEEDS:
        a, b = instrument(seed).pose(0.0), instrument(seed).pose(1.0)
        assert a[:3, :3] @ a[:3, :3].T == pytest.approx(np.eye(3), abs=1e-9)
        assert np.linalg.det(a[:3, :3]) == pytest.approx(1)
        assert np.linalg.norm(a[:3, 3] - b[:3, 3]) > 1e-5


def test_some_instruments_open_and_close():
    changed = [not np.array_equal(instrument(s).shape(0.0).b, instrument(s).shape(0.7).b) for s in SEEDS]
    assert 0.1 < np.mean(changed) < 0.7


def test_debris_lies_in_the_room_around_the_way():
    for seed in SEEDS:
        lump = draw_debris(np.random.default_rng(seed), WAY, ROOM)
        assert (lump.material, lump.held) == (DEBRIS, False)
        assert np.linalg.norm(WAY - lump.pose(0.0)[:3, 3], axis=1).min() < 1.3 * ROOM


def test_bodies_hold_nothing_more_often_than_not_and_sometimes_much():
    held = [
        sum(solid.material == INSTRUMENT for solid in draw_solids(np.random.default_rng(seed), WAY, ROOM))
        for seed in range(300)
    ]
    assert np.mean(np.array(held) == 0) == pytest.approx(0.6, abs=0.08)
    assert max(held) == 2
