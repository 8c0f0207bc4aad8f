"""Ripples of the wet film."""

import torch

from endo_depth_ros.synthetic.wet_film import WetFilm


def wall_points(count=20000):
    generator = torch.Generator().manual_seed(1)
    points = 0.1 * torch.rand(3, count, generator=generator)
    normals = torch.zeros_like(points)
    normals[2] = -1
    return normals, points


def test_ripples_are_unit_normals_with_the_slope_asked_for():
    normals, points = wall_points()
    slopes = []
    for seed in range(12):
        film, _ = WetFilm(seed, 0.05, 0.003).ripple(normals, points)
        torch.testing.assert_close(film.norm(dim=0), torch.ones(points.shape[1]))
        slopes.append((film[:2] / film[2]).square().mean())
    assert 0.04 < float(torch.stack(slopes).mean().sqrt()) < 0.06


def test_still_film_lies_on_the_tissue():
    normals, points = wall_points()
    torch.testing.assert_close(WetFilm(0, 0.0, 0.003).ripple(normals, points)[0], normals)


def test_thickness_is_spread_around_zero():
    thickness = WetFilm(3, 0.1, 0.003).ripple(*wall_points())[1]
    assert abs(float(thickness.mean())) < 0.1
    assert 0.8 < float(thickness.std()) < 1.2


def test_seed_decides_the_ripples():
    first, again, other = (WetFilm(seed, 0.1, 0.003).ripple(*wall_points())[0] for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.allclose(first, other, atol=0.01)
