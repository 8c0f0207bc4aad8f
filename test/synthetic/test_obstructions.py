"""What spoils the view."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from endo_depth_ros.synthetic.obstructions import Obstruction, draw_obstruction, obstruct

STRENGTHS = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)


def tissue():
    light = np.random.default_rng(0).lognormal(-2, 0.5, (32, 40, 3))
    return np.kron(light, np.ones((8, 8, 1))).astype(np.float32)


def contrast(light):
    """Share of the mean by which neighbouring blocks differ."""
    luminance = light[4::8, 4::8].mean(axis=2)
    return np.abs(np.diff(luminance, axis=1)).mean() / luminance.mean()


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("kind", ["smoke", "contact"])
def test_contrast_falls_with_strength(kind, seed):
    contrasts = [contrast(obstruct(tissue(), Obstruction(seed=seed, **{kind: s})).light) for s in STRENGTHS]
    assert np.all(np.diff(contrasts) <= 1e-6)
    assert contrasts[-1] < 0.05 * contrasts[0]


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("kind", ["smoke", "blood", "contact"])
def test_more_is_hidden_the_stronger_and_nothing_without(kind, seed):
    hidden = [obstruct(tissue(), Obstruction(seed=seed, **{kind: s})).hidden for s in STRENGTHS]
    assert not hidden[0].any()
    assert all(np.all(more[less]) for less, more in pairwise(hidden))
    assert hidden[-1].mean() > 0.6


def test_hidden_pixels_show_nothing_of_the_scene():
    scene, other = tissue(), tissue()[::-1, ::-1].copy()
    obstruction = Obstruction(seed=4, smoke=0.85)
    views = [obstruct(light, obstruction) for light in (scene, other)]
    hidden = views[0].hidden
    assert 0.1 < hidden.mean() < 0.9
    difference = np.abs(views[0].light - views[1].light)
    assert difference[hidden].mean() < 0.1 * np.abs(scene - other)[hidden].mean() + 1e-6
    assert difference[~hidden].mean() > 3 * difference[hidden].mean()


def test_smoke_is_white_and_blood_is_red():
    scene = tissue()
    smoke, blood = (obstruct(scene, Obstruction(seed=1, **{kind: 0.9})).light for kind in ("smoke", "blood"))
    red, green, blue = (smoke[..., channel].mean() for channel in range(3))
    assert green == pytest.approx(red, rel=0.2)
    assert blue == pytest.approx(red, rel=0.25)
    assert blood[..., 0].mean() > 3 * blood[..., 1].mean()


def test_a_clear_view_is_the_scene_itself():
    view = obstruct(tissue(), Obstruction())
    assert np.array_equal(view.light, tissue())
    assert not view.hidden.any()


def test_nothing_seen_is_dark_not_nan():
    scene = tissue()
    scene[:100] = np.nan
    everything = Obstruction(
        smoke=0.3, blood=0.3, contact=0.3, droplets=4, droplet_radius=0.1, defocus_px=4, motion_px=(9, 4)
    )
    assert np.isfinite(obstruct(scene, everything).light).all()
    assert np.isnan(scene[:100]).all()


def test_defocus_and_shake_keep_the_light_and_take_the_detail():
    scene = tissue()
    for blurred in (Obstruction(defocus_px=10.0), Obstruction(motion_px=(30.0, 0.0))):
        light = obstruct(scene, blurred).light
        assert light.mean() == pytest.approx(scene.mean(), rel=0.03)
        assert contrast(light) < 0.9 * contrast(scene)


def test_smoke_drifts():
    obstruction = Obstruction(seed=2, smoke=0.5)
    start, soon, later = (obstruct(tissue(), obstruction, time_s).light for time_s in (0.0, 1 / 30, 3.0))
    assert np.abs(soon - start).max() < 0.05
    assert np.abs(later - start).max() > np.abs(soon - start).max()


def test_one_obstruction_moves_none_of_the_others():
    alone, both = Obstruction(seed=3, blood=0.6), Obstruction(seed=3, blood=0.6, droplets=3, droplet_radius=0.05)
    without, with_droplets = (obstruct(tissue(), obstruction).light for obstruction in (alone, both))
    assert (without == with_droplets).mean() > 0.8


def test_draws_are_seeded_and_mostly_clear():
    draws = [draw_obstruction(np.random.default_rng(seed)) for seed in range(300)]
    assert draws[7] == draw_obstruction(np.random.default_rng(7))
    clear = [replace(draw, seed=0, droplet_radius=0.08) == Obstruction() for draw in draws]
    assert np.mean(clear) == pytest.approx(0.6, abs=0.08)
    for kind in ("smoke", "blood", "contact", "droplets", "defocus_px"):
        values = [getattr(draw, kind) for draw in draws]
        assert any(value > 0 for value in values)
    assert np.mean([draw.smoke < 0.5 for draw in draws]) > 0.95
