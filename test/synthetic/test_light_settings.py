"""Drawn lights are what scopes have, and differ."""

import math

import numpy as np
import pytest

from endo_depth_ros.synthetic.light_settings import draw_light


def draw_many(count=300):
    return [draw_light(np.random.default_rng(seed)) for seed in range(count)]


def test_sources_lie_beside_the_lens_and_share_one_power():
    for light in draw_many():
        assert 1 <= len(light.positions) == len(light.powers) <= 3
        assert sum(light.powers) == pytest.approx(1)
        for x, y, z in light.positions:
            assert 0.0007 < math.hypot(x, y) < 0.0075
            assert abs(z) <= 0.001


def test_lights_with_every_kind_of_highlight_are_drawn():
    lights = draw_many()
    without = np.mean([light.highlight == 0 for light in lights])
    broken = np.mean([light.breaks > 0.2 for light in lights])
    sharp = np.mean([light.highlight_exponent > 500 for light in lights])
    assert 0.05 < without < 0.25
    assert broken > 0.15
    assert sharp > 0.1


def test_narrow_and_wide_beams_are_drawn():
    exponents = [light.beam_exponent for light in draw_many()]
    assert min(exponents) < 0.3
    assert 3 < max(exponents) < 4.5  # lenses see wide, and so must the light
