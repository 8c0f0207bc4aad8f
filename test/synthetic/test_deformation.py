"""Walls that move: no folds, no jumps, and what is carried along stays where it is in the tissue."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from known_scenes import Bubble

from endo_depth_ros.synthetic.deformation import WarpedField, draw_deformation

seeds = st.integers(0, 10_000)


def drawn(seed, size=0.04):
    return draw_deformation(np.random.default_rng(seed), size)


@settings(max_examples=30, deadline=None)
@given(seeds, st.floats(0, 100), st.lists(st.floats(-0.1, 0.1), min_size=3, max_size=3))
def test_what_is_carried_along_rests_where_it_was(seed, time_s, point):
    deformation = drawn(seed)
    moved = deformation.carry(np.array(point), time_s)
    rest = deformation.at(time_s).to_rest(torch.tensor(moved, dtype=torch.float32)[:, None])
    assert rest[:, 0].numpy() == pytest.approx(point, abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(seeds)
def test_ways_grow_by_no_more_than_the_stretch(seed):
    deformation, generator = drawn(seed), torch.Generator().manual_seed(seed)
    a, b = (torch.rand(3, 500, generator=generator) * 0.1 for _ in range(2))
    warp = deformation.at(1.0)
    growth = (warp.to_rest(a) - warp.to_rest(b)).norm(dim=0) / (a - b).norm(dim=0)
    assert growth.max() <= deformation.stretch + 1e-4
    assert growth.min() >= 2 - deformation.stretch - 1e-4
    assert deformation.stretch < 1.35


def test_walls_move_smoothly_over_time():
    deformation = drawn(3)
    point = np.array([0.01, 0.02, 0.03])
    places = np.array([deformation.carry(point, t) for t in np.arange(0, 5, 1 / 30)])
    steps = np.linalg.norm(np.diff(places, axis=0), axis=1)
    assert steps.max() < 0.001
    assert np.ptp(places, axis=0).max() > 2e-4


def test_a_warped_field_is_that_of_the_rest_at_the_point_of_rest():
    warp = drawn(1).at(2.0)
    points = torch.rand(3, 100) * 0.02
    warped = WarpedField(Bubble(0.03), warp)
    assert torch.equal(warped.clearance(points), Bubble(0.03).clearance(warp.to_rest(points)))
    assert warped.steepness > Bubble(0.03).steepness
    assert (warped.extent, warped.finest) == (1.0, 3e-4)
