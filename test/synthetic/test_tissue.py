"""Tissue is fixed to the body, follows its seed, and differs enough from scene to scene."""

import numpy as np
import pytest
import torch

from endo_depth_ros.synthetic.palettes import PALETTES
from endo_depth_ros.synthetic.tissue import Tissue

COUNT = 4000


@pytest.fixture(scope="module")
def wall():
    """Points of a wall of 4 x 4 cm and their normals, [3, N] each."""
    generator = torch.Generator().manual_seed(0)
    points = 0.04 * torch.rand(3, COUNT, generator=generator)
    points[2] = 0.02
    normals = torch.zeros_like(points)
    normals[2] = -1
    return points, normals


def colour(tissue, wall, part=0):
    return tissue.colour(*wall, torch.full((wall[0].shape[1],), part))


@pytest.mark.parametrize("palette", PALETTES)
def test_every_palette_gives_reflectances_and_wetness(palette, wall):
    albedo, gloss = colour(Tissue(7, (palette,)), wall)
    assert albedo.shape == (3, COUNT)
    assert gloss.shape == (COUNT,)
    assert albedo.isfinite().all()
    assert albedo.min() > 0
    assert albedo.max() < 1
    assert gloss.min() >= 0
    assert gloss.max() <= 1


def test_seed_decides_the_tissue(wall):
    first, again, other = (colour(Tissue(seed, ("mucosa_pink",)), wall)[0] for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.allclose(first, other, atol=0.05)


def test_generator_that_goes_on_gives_another_tissue(wall):
    rng = np.random.default_rng(3)
    assert not torch.equal(*(colour(Tissue(rng, ("sinus",)), wall)[0] for _ in range(2)))


def test_colour_belongs_to_the_place_not_to_the_order_of_points(wall):
    tissue = Tissue(5, ("mucosa_pink", "polyp"))
    part = torch.arange(COUNT) % 2
    albedo, gloss = tissue.colour(*wall, part)
    order = torch.randperm(COUNT, generator=torch.Generator().manual_seed(4))
    moved, moved_gloss = tissue.colour(wall[0][:, order], wall[1][:, order], part[order])
    torch.testing.assert_close(moved, albedo[:, order])
    torch.testing.assert_close(moved_gloss, gloss[order])


def test_colour_goes_on_without_jumps_between_near_points(wall):
    points, normals = wall
    tissue = Tissue(11, ("mucosa_red",))
    step = torch.tensor([[1e-6], [1e-6], [0.0]])
    change = colour(tissue, (points + step, normals))[0] - colour(tissue, wall)[0]
    assert change.abs().max() < 0.1


def test_parts_have_the_colours_of_their_palettes(wall):
    tissue = Tissue(2, ("phantom_grey", "liver"))
    grey, liver = (colour(tissue, wall, part)[0].mean(dim=1) for part in (0, 1))
    assert liver[0] / liver[2] > 1.5 * grey[0] / grey[2]
    assert liver.mean() < grey.mean()


def test_scenes_of_one_palette_differ_in_colour_and_texture(wall):
    albedos = [colour(Tissue(seed, ("mucosa_pink",)), wall)[0] for seed in range(40)]
    redness = np.log([float(a[0].mean() / a[1].mean()) for a in albedos])
    texture = np.array([float(a.mean(dim=0).log().std()) for a in albedos])
    assert redness.std() > 0.25
    assert texture.min() < 0.03
    assert texture.max() > 0.2
