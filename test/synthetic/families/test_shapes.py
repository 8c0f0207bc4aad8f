"""Distances from bodies against closed forms."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from endo_depth_ros.synthetic.families.shapes import (
    Capsule,
    Ellipsoid,
    Slab,
    Swept,
    random_turn,
    smooth_intersection,
    smooth_union,
)

metres = st.floats(-0.02, 0.02)


def at(*point):
    return torch.tensor(point, dtype=torch.float32)[:, None]


@given(metres, metres, metres)
def test_an_ellipsoid_of_equal_axes_is_a_sphere(x, y, z):
    body = Ellipsoid(np.zeros(3), (0.005, 0.005, 0.005), np.eye(3))
    assert float(body(at(x, y, z))) == pytest.approx(np.linalg.norm([x, y, z]) - 0.005, abs=2e-5)


def test_an_ellipsoid_ends_at_its_half_axes_along_its_turned_axes():
    turn = random_turn(np.random.default_rng(0), 60)
    body = Ellipsoid(np.array([0.01, 0, 0]), (0.002, 0.004, 0.008), turn)
    for axis, half in enumerate((0.002, 0.004, 0.008)):
        assert float(body(at(*(np.array([0.01, 0, 0]) + half * turn[:, axis])))) == pytest.approx(0, abs=1e-6)


def test_a_capsule_tapers():
    body = Capsule(np.zeros(3), np.array([0, 0, 0.01]), 0.003, 0.001)
    assert float(body(at(0.005, 0, 0))) == pytest.approx(0.002, abs=1e-6)
    assert float(body(at(0.005, 0, 0.01))) == pytest.approx(0.004, abs=1e-6)
    assert float(body(at(0.005, 0, 0.005))) == pytest.approx(0.003, abs=1e-6)
    assert float(body(at(0, 0, 0.013))) == pytest.approx(0.002, abs=1e-6)


def test_a_slab_has_flat_faces_and_round_edges():
    body = Slab(np.zeros(3), (0.002, 0.01, 0.01), np.eye(3), 0.001)
    assert float(body(at(0.005, 0.003, 0))) == pytest.approx(0.003, abs=1e-6)
    assert float(body(at(0.002, 0.01, 0))) == pytest.approx(0.001 * (np.sqrt(2) - 1), abs=1e-6)
    assert float(body(at(0.0, 0.0, 0))) == pytest.approx(-0.002, abs=1e-6)


def test_a_swept_sphere_is_a_capsule():
    ball = Ellipsoid(np.zeros(3), (0.002, 0.002, 0.002), np.eye(3))
    swept = Swept(ball, np.zeros(3), np.array([0, 0.01, 0]))
    rod = Capsule(np.zeros(3), np.array([0, 0.01, 0]), 0.002, 0.002)
    points = torch.tensor(np.random.default_rng(1).uniform(-0.02, 0.02, (3, 200)), dtype=torch.float32)
    assert swept(points) == pytest.approx(rod(points), abs=2e-5)


@given(metres, metres, st.floats(1e-4, 0.01))
def test_blends_differ_from_sharp_unions_only_near_the_crease(a, b, blend):
    a, b = torch.tensor([a], dtype=torch.float32), torch.tensor([b], dtype=torch.float32)
    union, intersection = smooth_union(a, b, blend), smooth_intersection(a, b, blend)
    reserve = 0.25 * blend + 1e-7
    assert torch.minimum(a, b) - reserve <= union <= torch.minimum(a, b)
    assert torch.maximum(a, b) <= intersection <= torch.maximum(a, b) + reserve
    if abs(a - b) >= blend:
        assert union == torch.minimum(a, b)


def test_turns_are_rotations():
    turn = random_turn(np.random.default_rng(4), 90)
    assert turn @ turn.T == pytest.approx(np.eye(3), abs=1e-12)
    assert np.linalg.det(turn) == pytest.approx(1)
