"""Rods: distances in closed form, and which rays can meet them."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from endo_depth_ros.synthetic.ray_march import NEAR, march
from endo_depth_ros.synthetic.solid import Rods, Solid
from endo_depth_ros.synthetic.surface_view import INSTRUMENT


def rods(*lines, bands=0.0):
    """Rods from (a, b, radius_a, radius_b); the first is white, the others are dark."""
    a, b, radius_a, radius_b = (np.array(values, float) for values in zip(*lines, strict=True))
    albedo = np.full((len(lines), 3), 0.1)
    albedo[0] = 0.8
    return Rods(a, b, radius_a, radius_b, albedo, np.linspace(1, 0.5, len(lines)), np.full(len(lines), bands))


def placed(shape, pose=None, held=False, T_world_camera=None):
    pose, camera = (np.eye(4) if T is None else T for T in (pose, T_world_camera))
    return Solid(INSTRUMENT, held, lambda time_s: shape, lambda time_s: pose).at(0.0, camera)


def points(*rows):
    return torch.tensor(rows, dtype=torch.float32).T


ROD = rods(((0, 0, 0.02), (0, 0, 0.04), 0.002, 0.001))


def test_distance_is_to_the_rounded_rod():
    distance = placed(ROD).clearance(
        points((0.005, 0, 0.02), (0, 0.005, 0.04), (0, 0, 0.05), (0, 0, 0.01), (0, 0, 0.03))
    )
    assert distance.numpy() == pytest.approx([0.003, 0.004, 0.009, 0.008, -0.0015], abs=1e-7)


def test_the_nearest_rod_gives_the_look():
    pair = placed(rods(((0, 0, 0), (0, 0, 0.1), 0.001, 0.001), ((0.01, 0, 0), (0.01, 0, 0.1), 0.001, 0.001)))
    albedo, gloss = pair.look(points((0.001, 0, 0.05), (0.009, 0, 0.05)))
    assert albedo[0].tolist() == pytest.approx([0.8, 0.1])
    assert gloss.tolist() == pytest.approx([1.0, 0.5])


def test_bands_darken_a_quarter_of_the_rod():
    banded = placed(rods(((0, 0, 0), (0, 0, 0.1), 0.001, 0.001), bands=0.01))
    along = torch.linspace(0.01, 0.09, 801)[:-1]
    where = torch.stack([torch.full_like(along, 0.001), torch.zeros_like(along), along])
    albedo, _ = banded.look(where)
    assert (albedo[0] < 0.5).float().mean() == pytest.approx(0.25, abs=0.01)


def test_what_the_camera_holds_goes_with_it():
    T = np.eye(4)
    T[:3, 3] = [1.0, 2.0, 3.0]
    held, left = placed(ROD, held=True, T_world_camera=T), placed(ROD, T_world_camera=T)
    where = points((0.0, 0.0, 0.06))
    assert held.clearance(where + torch.tensor([[1.0], [2.0], [3.0]])).item() == pytest.approx(0.019, abs=1e-6)
    assert left.clearance(where).item() == pytest.approx(0.019, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 100_000))
def test_rays_that_meet_the_thing_are_never_left_out(seed):
    rng = np.random.default_rng(seed)
    lines = [
        (
            rng.uniform((-0.02, -0.02, 0.01), (0.02, 0.02, 0.05)),
            rng.uniform((-0.02, -0.02, 0.01), (0.02, 0.02, 0.05)),
            *rng.uniform(5e-4, 3e-3, 2),
        )
        for _ in range(3)
    ]
    thing, origin = placed(rods(*lines)), torch.zeros(3)
    rays = torch.tensor(np.vstack([rng.uniform(-1, 1, (2, 300)), np.ones(300)]), dtype=torch.float32)
    met = march(thing, origin, rays, torch.full((300,), NEAR), torch.full((300,), 0.1)).isfinite()
    assert set(met.nonzero()[:, 0].tolist()) <= set(thing.find_rays(origin, rays).tolist())


def test_most_rays_beside_a_rod_are_left_out():
    rays = torch.tensor(
        np.vstack([np.random.default_rng(0).uniform(-1, 1, (2, 1000)), np.ones(1000)]), dtype=torch.float32
    )
    assert len(placed(ROD).find_rays(torch.zeros(3), rays)) < 50
