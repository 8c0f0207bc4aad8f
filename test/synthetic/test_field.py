"""Normals of fields, and unit vectors."""

import pytest
import torch
from known_scenes import Bubble, Wall

from endo_depth_ros.synthetic.field import surface_normals, unit


def test_normals_of_a_wall_are_its_own():
    wall = Wall(0.03, (0.3, -0.2, -1.0))
    normals = surface_normals(wall.clearance, torch.rand(3, 50) * 0.01, 1e-3)
    assert torch.allclose(normals, wall.normal[:, None].expand(3, 50), atol=1e-3)


def test_normals_in_a_sphere_point_to_its_centre():
    directions = unit(torch.randn(3, 100, generator=torch.Generator().manual_seed(0)))
    normals = surface_normals(Bubble(0.02).clearance, 0.02 * directions, 1e-4)
    assert (normals * -directions).sum(0).min() > 0.99999


def test_unit_vectors_have_length_one():
    assert unit(torch.randn(3, 100)).norm(dim=0).numpy() == pytest.approx(1, abs=1e-6)
