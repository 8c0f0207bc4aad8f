"""The folded tube: seeded, irregular, wide enough for the camera."""

import numpy as np
import pytest
import torch
from known_scenes import tube

from endo_depth_ros.synthetic.camera_path import CameraPath
from endo_depth_ros.synthetic.folded_tube import FoldedTube, FoldedTubeSettings
from endo_depth_ros.synthetic.scene import surface_normals, unit


def points(count=4000, seed=0):
    rng = np.random.default_rng(seed)
    return torch.tensor(
        rng.uniform([[-0.03], [-0.03], [0.0]], [[0.03], [0.03], [0.1]], (3, count)), dtype=torch.float32
    )


def wall_radius(scene, s, angles):
    """Distance from the centre line to the wall, by bisection, in the cross-section at s."""
    centre, ahead = scene.centre_line(s), scene.centre_line(s + 1e-4)
    z = (ahead - centre) / np.linalg.norm(ahead - centre)
    x = np.cross([0.0, 1.0, 0.0], z)
    directions = np.outer(np.cos(angles), x / np.linalg.norm(x)) + np.outer(np.sin(angles), [0.0, 1.0, 0.0])
    low, high = np.zeros(len(angles)), np.full(len(angles), 0.05)
    for _ in range(40):
        middle = (low + high) / 2
        where = torch.tensor((centre + middle[:, None] * directions).T, dtype=torch.float32)
        free = scene.clearance(where).numpy() > 0
        low, high = np.where(free, middle, low), np.where(free, high, middle)
    return low


def test_a_seed_is_a_scene():
    assert torch.equal(FoldedTube(2).clearance(points()), tube(2).clearance(points()))
    assert not torch.equal(tube(2).clearance(points()), tube(3).clearance(points()))


def test_the_colour_is_seeded_too():
    assert torch.equal(FoldedTube(2).albedo(points()), tube(2).albedo(points()))


@pytest.mark.parametrize("seed", range(4))
def test_the_tube_has_the_size_of_a_colon_and_folds_that_are_no_rings(seed):
    angles = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    radius = np.stack([wall_radius(tube(seed), s, angles) for s in np.linspace(0.02, 0.12, 60)])
    assert 0.018 < np.median(radius) < 0.03
    assert radius.min() > 0.006
    assert np.ptp(radius, axis=0).max() > 0.005
    narrowest = radius[radius.min(axis=1).argmin()]
    assert np.ptp(narrowest) > 0.004


@pytest.mark.parametrize("seed", range(4))
def test_a_step_of_clearance_over_steepness_stays_in_free_space(seed):
    where, clearance = points(40000), tube(seed).clearance(points(40000))
    directions = unit(torch.randn(where.shape, generator=torch.Generator().manual_seed(1)))
    after = tube(seed).clearance(where + directions * clearance / tube(seed).steepness)[clearance > 0]
    assert (after > 0).float().mean() > 0.9995


@pytest.mark.parametrize("seed", range(4))
def test_the_camera_stays_clear_of_the_tissue(seed):
    path = CameraPath(tube(seed), seed)
    positions = np.stack([path.pose(t)[:3, 3] for t in np.linspace(0, 3, 200)], axis=1)
    assert tube(seed).clearance(torch.tensor(positions, dtype=torch.float32)).min() > 0.003


def test_the_end_is_closed():
    ends = torch.tensor(np.stack([tube(0).centre_line(s) for s in (0.1, 0.19)], axis=1), dtype=torch.float32)
    inside, beyond = tube(0).clearance(ends)
    assert inside > 0
    assert beyond < 0


def test_reflectance_is_a_fraction_and_red_leads():
    color = tube(0).albedo(points())
    assert color.min() > 0
    assert color.max() < 1
    assert (color[0] > color[1]).float().mean() > 0.99


def test_normals_are_unit_and_point_into_the_free_space():
    where = points()
    normals = surface_normals(tube(0), where)
    assert normals.norm(dim=0).numpy() == pytest.approx(1, abs=1e-5)
    assert (tube(0).clearance(where + 1e-5 * normals) > tube(0).clearance(where)).float().mean() > 0.99


def test_sizes_follow_the_settings():
    angles = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    narrow = FoldedTube(0, FoldedTubeSettings(radius=0.012, fold_height=0.003))
    assert np.median(wall_radius(narrow, 0.05, angles)) == pytest.approx(0.012, rel=0.25)
