"""Skins are moved by as much as they say, evenly to both sides or outwards in lobes."""

import numpy as np
import pytest
import torch

from endo_depth_ros.synthetic.families.shapes import Ellipsoid
from endo_depth_ros.synthetic.families.uneven_skin import Lobed, Uneven
from endo_depth_ros.synthetic.families.volume_noise import VolumeNoise

NOISE = VolumeNoise(np.random.default_rng(0), 1)
BALL = Ellipsoid(np.zeros(3), (0.03, 0.03, 0.03), np.eye(3))
POINTS = torch.tensor(np.random.default_rng(1).uniform(-0.06, 0.06, (3, 20000)), dtype=torch.float32)


def test_an_uneven_skin_is_moved_to_both_sides():
    moved = (Uneven(BALL, NOISE, 0.002, 0.01)(POINTS) - BALL(POINTS)).numpy()
    assert moved.std() == pytest.approx(0.002, rel=0.12)
    assert abs(moved.mean()) < 0.0002


def test_lobes_bulge_outwards_and_their_creases_are_where_the_skin_was():
    moved = (Lobed(BALL, NOISE, 0.002, 0.01)(POINTS) - BALL(POINTS)).numpy()
    assert moved.max() <= 1e-8
    assert moved.max() > -1e-5
    assert np.sqrt(np.mean(moved**2)) == pytest.approx(0.002, rel=0.12)
