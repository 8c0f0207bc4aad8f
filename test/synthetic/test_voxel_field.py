"""Baked walls are where the anatomy has them, and distances are distances."""

import numpy as np
import pytest
import torch
from known_scenes import Bubble, anatomy, baked_tube, folded_tube

from endo_depth_ros.synthetic.families import FAMILIES
from endo_depth_ros.synthetic.voxel_field import bake


def voxels(field):
    """World points of a field's voxels, [3, N]."""
    grid = field.distance
    axes = [torch.arange(n) * grid.voxel + low for n, low in zip(grid.values.shape[:1:-1], grid.low, strict=True)]
    z, y, x = torch.meshgrid(*axes[::-1], indexing="ij")
    return torch.stack([x, y, z]).reshape(3, -1)


def test_distances_in_a_sphere_are_right_near_the_wall_and_in_the_middle():
    points = torch.rand(3, 4000, generator=torch.Generator().manual_seed(0)) * 0.044 - 0.022
    field = bake(anatomy(Bubble(0.02).clearance, 0.024, voxel=8e-4))
    true = Bubble(0.02).clearance(points)
    excess = (field.clearance(points) - true) * true.sign()
    assert excess[true.abs() < 0.001].abs().max() < 4e-5
    assert excess.max() < 0.1 * 8e-4
    assert excess.min() > -2 * 8e-4


def test_a_field_steeper_than_a_distance_becomes_a_distance():
    def steep(points):
        return 3 * Bubble(0.02).clearance(points)

    body = anatomy(steep, 0.024, steepness=3.0, voxel=8e-4)
    points = torch.rand(3, 4000, generator=torch.Generator().manual_seed(0)) * 0.044 - 0.022
    assert (bake(body).clearance(points) - Bubble(0.02).clearance(points)).abs().max() < 2 * 8e-4


@pytest.mark.parametrize("name", list(FAMILIES))
def test_what_is_free_stays_free_in_every_family(name):
    body = FAMILIES.get(name)(np.random.default_rng(5))
    field = bake(body)
    chosen = torch.from_numpy(np.random.default_rng(0).permutation(field.distance.values.numel())[:60000])
    points = voxels(field)[:, chosen]
    baked = field.distance.values.reshape(-1)[chosen]
    assert torch.equal(baked > 0, body.clearance(points) > 0)


def test_no_step_of_a_march_leaps_over_a_fold():
    field = baked_tube()
    points = voxels(field)
    free = points[:, field.clearance(points) > 0]
    free = free[:, torch.randperm(free.shape[1], generator=torch.Generator().manual_seed(1))[:3000]]
    directions = torch.randn(3, 3000, generator=torch.Generator().manual_seed(2))
    directions /= directions.norm(dim=0)
    step = field.clearance(free) / field.steepness
    between = [field.clearance(free + share * step * directions) for share in torch.linspace(0, 1, 20)]
    assert torch.stack(between).min() > -2e-5


def test_parts_are_found_where_the_anatomy_has_them():
    two = bake(anatomy(Bubble(0.02).clearance, 0.024, ("mucosa_pink", "fat"), voxel=8e-4))
    directions = torch.randn(3, 2000, generator=torch.Generator().manual_seed(3))
    surface = 0.02 * directions / directions.norm(dim=0)
    clear = surface[:, surface[0].abs() > 8e-4]
    assert torch.equal(two.part(clear), (clear[0] > 0).long())


def test_an_anatomy_of_one_part_is_that_part_everywhere():
    assert not baked_tube().part(torch.zeros(3, 5)).any()


def test_baking_is_reproducible():
    assert torch.equal(bake(folded_tube()).distance.values, baked_tube().distance.values)
