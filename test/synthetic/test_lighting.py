"""Radiance against closed forms: inverse square, Lambert, the shadow of a ball, light that is shut out."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from known_views import HEIGHT, LENS_LIGHT, WIDTH, Slit, Wall, WallAndBall, replace_part, view_wall

from endo_depth_ros.synthetic.lighting import REFERENCE_DISTANCE, draw_light, shade
from endo_depth_ros.synthetic.surface_view import INSTRUMENT

MIDDLE = (slice(None), HEIGHT // 2, WIDTH // 2)


@pytest.mark.parametrize("distance", [0.008, 0.03, 0.1])
def test_twice_as_far_is_a_quarter_as_bright(distance):
    near = shade(view_wall(distance), LENS_LIGHT, Wall(distance))
    far = shade(view_wall(2 * distance), LENS_LIGHT, Wall(2 * distance))
    torch.testing.assert_close(near, 4 * far)


@pytest.mark.parametrize("beam_exponent", [0.0, 2.5])
def test_wall_follows_lambert_and_the_beam(beam_exponent):
    view = view_wall(0.04, albedo=0.3)
    cosine = view.points[2] / view.points.norm(dim=0)
    squared = (view.points**2).sum(0)
    expected = 0.3 * REFERENCE_DISTANCE**2 / squared * cosine ** (1 + beam_exponent)
    got = shade(view, replace(LENS_LIGHT, beam_exponent=beam_exponent), Wall(0.04))
    torch.testing.assert_close(got, expected.expand(3, -1, -1), rtol=1e-4, atol=1e-6)


def test_sources_add_up_by_their_powers():
    left, right = (-0.0005, 0.0, 0.0), (0.0005, 0.0, 0.0)
    view, clearance = view_wall(0.02), Wall(0.02)
    alone = [shade(view, replace(LENS_LIGHT, positions=(place,)), clearance) for place in (left, right)]
    both = shade(view, replace(LENS_LIGHT, positions=(left, right), powers=(0.3, 0.7)), clearance)
    torch.testing.assert_close(both, 0.3 * alone[0] + 0.7 * alone[1])


def test_ball_casts_its_shadow_where_the_line_from_the_source_goes():
    source, ball = (0.004, 0.0, 0.0), (0.0, 0.0, 0.02)
    light = replace(LENS_LIGHT, positions=(source,), source_radius=0.0002)
    view = view_wall(0.04)
    open_wall = shade(view, light, Wall(0.04))[0]
    share = shade(view, light, WallAndBall(0.04, ball, 0.003))[0] / open_wall
    # The line from the source through the ball's middle meets the wall at x = -4 mm.
    offset = (view.points[:2] - torch.tensor([-0.004, 0.0])[:, None, None]).norm(dim=0)
    assert share[offset < 0.004].max() < 0.05
    assert share[offset > 0.0105].min() > 0.95


def test_walls_beside_the_source_cast_no_shadow_on_themselves():
    light = replace(LENS_LIGHT, positions=((0.005, 0.002, 0.0),), source_radius=0.001)
    lit = shade(view_wall(0.03), light, Wall(0.03))
    free = shade(view_wall(0.03), light, lambda points: torch.ones_like(points[0]))
    torch.testing.assert_close(lit, free, rtol=0.02, atol=0)


def test_indirect_light_only_adds():
    view = view_wall(0.03)
    direct = shade(view, LENS_LIGHT, Wall(0.03))
    for more in ({"ambient": 0.1}, {"bounce": 0.4}):
        assert (shade(view, replace(LENS_LIGHT, **more), Wall(0.03)) > direct).all()


def test_slits_get_less_indirect_light_but_some():
    view, light = view_wall(0.03), replace(LENS_LIGHT, ambient=0.2, bounce=0.3, occlusion=0.9)
    direct = shade(view, LENS_LIGHT, Wall(0.03))
    shut = (shade(view, light, Slit(0.0002)) - direct)[MIDDLE]
    free = (shade(view, light, Wall(0.03)) - direct)[MIDDLE]
    assert (shut > 0.05 * free).all()
    assert (shut < 0.4 * free).all()


def test_light_that_comes_back_from_tissue_has_its_colour():
    view = view_wall(0.03)
    red = replace_part(view, albedo=torch.tensor([0.7, 0.2, 0.1])[:, None, None].expand(3, HEIGHT, WIDTH))
    direct = shade(red, LENS_LIGHT, Wall(0.03))
    bounced = shade(red, replace(LENS_LIGHT, bounce=0.5), Wall(0.03)) - direct
    share = (bounced / direct).mean(dim=(1, 2))
    assert share[0] > 2 * share[1] > 2.5 * share[2] / 2


def test_scattering_moves_light_but_keeps_it():
    view = view_wall(0.03)
    stripes = torch.where(torch.arange(WIDTH) % 32 < 16, 1.0, 0.3).expand(HEIGHT, WIDTH)
    tilted = torch.stack([torch.zeros_like(stripes), (1 - stripes**2).sqrt(), -stripes])
    view = replace_part(view, normals=tilted)
    sharp = shade(view, LENS_LIGHT, Wall(0.03))
    soft = shade(view, replace(LENS_LIGHT, scatter=0.8), Wall(0.03))
    torch.testing.assert_close(soft.mean(), sharp.mean(), rtol=0.03, atol=0)
    contrast = soft.std(dim=(1, 2)) / sharp.std(dim=(1, 2))
    assert contrast[0] < contrast[1] < contrast[2] < 1


def test_highlight_is_where_the_wall_mirrors_the_source():
    light = replace(LENS_LIGHT, highlight=0.5, highlight_exponent=400.0, film_slope=0.0)
    glint = (shade(view_wall(0.03), light, Wall(0.03)) - shade(view_wall(0.03), LENS_LIGHT, Wall(0.03)))[0]
    assert glint[HEIGHT // 2, WIDTH // 2] == glint.max() > 1
    assert glint[0, 0] < 1e-3


def test_dry_tissue_has_no_highlight():
    light = replace(LENS_LIGHT, highlight=0.5, sheen=0.3)
    dry = shade(view_wall(0.03, gloss=0.0), light, Wall(0.03))
    torch.testing.assert_close(dry, shade(view_wall(0.03), LENS_LIGHT, Wall(0.03)))


def test_instruments_shine_even_where_tissue_does_not():
    view = view_wall(0.03)
    metal = replace_part(view, material=torch.full_like(view.material, INSTRUMENT))
    assert shade(metal, LENS_LIGHT, Wall(0.03))[MIDDLE].min() > 2 * shade(view, LENS_LIGHT, Wall(0.03))[MIDDLE].max()


def test_what_is_not_seen_is_dark_and_lights_nothing():
    view = view_wall(0.03)
    seen = torch.zeros_like(view.seen)
    assert (shade(replace_part(view, seen=seen), replace(LENS_LIGHT, bounce=0.5), Wall(0.03)) == 0).all()


@pytest.mark.parametrize("seed", range(25))
def test_every_drawn_light_gives_finite_light_again_and_again(seed):
    light = draw_light(np.random.default_rng(seed))
    assert light == draw_light(np.random.default_rng(seed))
    view, clearance = view_wall(0.025), WallAndBall(0.025, (0.003, 0.001, 0.012), 0.002)
    radiance = shade(view, light, clearance)
    assert radiance.shape == view.points.shape
    assert radiance.isfinite().all()
    assert radiance.min() >= 0
    assert radiance.max() > 0
    assert torch.equal(radiance, shade(view, light, clearance))
