"""The bed of a surgical field is what a laparoscope sees: tilted, nearly flat, with bumps and creases."""

import numpy as np
import pytest
import torch

from endo_depth_ros.synthetic.families.surgical_field import Bed
from endo_depth_ros.synthetic.families.volume_noise import VolumeNoise

NO_GROOVE = (0.0, 0.01, 0.0, 0.0)


def bed(slope=(0.0, 0.0), lobules=(0.0, 0.01), groove=NO_GROOVE):
    return Bed(np.array(slope), VolumeNoise(np.random.default_rng(0), 1), (0.0, 0.05), lobules, groove, 0.1)


def grid(count=200, size=0.06):
    places = np.linspace(-size / 2, size / 2, count)
    x, y = np.meshgrid(places, places)
    return torch.tensor(np.stack([x.ravel(), y.ravel(), np.zeros(x.size)]), dtype=torch.float32)


def test_a_plain_bed_is_a_tilted_plane():
    points = grid()
    np.testing.assert_allclose(bed((0.1, -0.4)).depth(points), 0.1 * points[0] - 0.4 * points[1], atol=1e-7)


def test_clearance_is_the_distance_to_a_plain_bed():
    tilted = bed((0.3, -0.4))
    normal = np.array([0.3, -0.4, -1.0]) / np.hypot(1, 0.5)
    above = torch.tensor((0.02 * normal)[:, None], dtype=torch.float32)
    assert float(tilted(above)) == pytest.approx(0.02, rel=1e-5)
    assert float(tilted(-above)) == pytest.approx(-0.02, rel=1e-5)


def test_lobules_bulge_towards_the_scope_and_their_sharp_creases_lie_deep():
    depth = bed(lobules=(0.003, 0.01)).depth(grid()).reshape(200, 200).numpy()
    assert depth.max() <= 0
    assert depth.max() > -2e-4
    curvature = np.diff(depth, 2, axis=1)
    assert -curvature.min() > 2 * curvature.max()


def test_a_groove_is_as_deep_as_it_was_cut():
    depth = bed(groove=(0.012, 0.01, 0.0, 0.0)).depth(grid())
    assert float(depth.max()) == pytest.approx(0.012, rel=1e-2)
    assert float(depth.min()) < 0.001


def test_points_are_placed_above_the_bed():
    np.testing.assert_allclose(bed((0.1, -0.4)).point(np.array([0.01, 0.02]), 0.005), [0.01, 0.02, -0.012], atol=1e-8)
