"""Every family keeps what an Anatomy promises."""

from functools import lru_cache

import numpy as np
import pytest
import torch

from endo_depth_ros.synthetic.families import FAMILIES, LAPAROSCOPIC
from endo_depth_ros.synthetic.free_space import is_clear
from endo_depth_ros.synthetic.palettes import PALETTES

SEED = 3


@pytest.fixture(params=list(FAMILIES))
def anatomy(request):
    return drawn(request.param)


@lru_cache
def drawn(family):
    return FAMILIES.get(family)(np.random.default_rng(SEED))


def points_in_box(anatomy, count):
    points = np.random.default_rng(0).uniform(anatomy.low, anatomy.high, (count, 3))
    return torch.tensor(points.T, dtype=torch.float32)


def test_the_same_seed_draws_the_same_body(anatomy):
    again = FAMILIES.get(anatomy.family)(np.random.default_rng(SEED))
    points = points_in_box(anatomy, 500)
    assert torch.equal(again.clearance(points), anatomy.clearance(points))
    assert np.array_equal(again.way, anatomy.way)
    assert (again.low, again.high, again.palettes) == (anatomy.low, anatomy.high, anatomy.palettes)


def test_other_seeds_draw_other_bodies(anatomy):
    other = FAMILIES.get(anatomy.family)(np.random.default_rng(SEED + 1))
    points = points_in_box(anatomy, 500)
    assert (other.clearance(points) - anatomy.clearance(points)).abs().median() > 2e-4


def test_the_way_is_free(anatomy):
    assert anatomy.way.shape[0] >= 4
    assert is_clear(anatomy.clearance, anatomy.way, np.full(len(anatomy.way), 5e-4)).all()


def test_the_way_leads_somewhere(anatomy):
    assert np.linalg.norm(np.diff(anatomy.way, axis=0), axis=1).sum() > 0.004


def test_the_box_holds_the_free_space(anatomy):
    points = points_in_box(anatomy, 3000)
    low, high = torch.tensor(anatomy.low), torch.tensor(anatomy.high)
    for axis in range(3):
        for side in (low, high):
            face = points.clone()
            face[axis] = side[axis]
            assert (anatomy.clearance(face) <= 0).all()


def test_clearance_near_walls_is_no_steeper_than_said(anatomy):
    points, step = points_in_box(anatomy, 20000), 1e-4
    values = anatomy.clearance(points)
    near = values.abs() < 0.003
    points, values = points[:, near], values[near]
    moved = [anatomy.clearance(points + step * torch.eye(3)[:, axis : axis + 1]) for axis in range(3)]
    slope = torch.stack([(value - values) / step for value in moved]).norm(dim=0)
    # Creases and the axes of tubes that close have no slope.
    assert (slope <= anatomy.steepness).float().mean() > 0.995


def test_parts_have_palettes_that_exist(anatomy):
    parts = anatomy.part(points_in_box(anatomy, 3000))
    assert parts.dtype == torch.int64
    assert int(parts.min()) >= 0
    assert int(parts.max()) < len(anatomy.palettes)
    assert set(anatomy.palettes) <= set(PALETTES)


def test_bodies_are_as_large_as_in_people(anatomy):
    size = np.subtract(anatomy.high, anatomy.low)
    assert (size > 0.008).all()
    assert (size < 0.35).all()


def test_polyps_stick_out_of_a_colon():
    body = drawn("colon_polyps")
    points = points_in_box(body, 30000)
    near = body.clearance(points).abs() < 0.002
    assert (body.part(points[:, near]) == 1).any()


def test_bodies_for_laparoscopes_are_entered_through_a_trocar():
    entered = [family for family in FAMILIES if drawn(family).trocar is not None]
    assert entered == list(LAPAROSCOPIC)
