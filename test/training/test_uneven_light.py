"""Uneven light is a smooth gain, 1 on the optical axis, that prefers no direction on average."""

from __future__ import annotations

import numpy as np
import pytest

from training.uneven_light import MOST, UnevenLight, draw_uneven_light

K = np.array([[100.0, 0, 79.5], [0, 100.0, 63.5], [0, 0, 1]])


def test_no_strength_is_even_light() -> None:
    np.testing.assert_array_equal(draw_uneven_light(np.random.default_rng(0), 0.0).gain(K, 128, 160), 1)


def test_the_gain_is_what_its_coefficients_say() -> None:
    log = np.log(UnevenLight(0.3, -0.2, 0.1, 0.4, 0.0).gain(K, 128, 160))
    x, y = (150 - 79.5) / 80, (20 - 63.5) / 80
    np.testing.assert_allclose(log[20, 150], 0.3 * x - 0.2 * y + 0.1 * (x * x - y * y) + 0.4 * x * y, rtol=1e-5)


def test_light_falls_off_towards_the_rim_of_narrow_views_and_less_in_wide_ones() -> None:
    light = UnevenLight(0.0, 0.0, 0.0, 0.0, 1.5)

    def log_at_rim(focal: float) -> float:
        K = np.array([[focal, 0, 80], [0, focal, 64], [0, 0, 1]])
        return float(np.log(light.gain(K, 128, 160)[64, 0]))

    assert log_at_rim(320.0) == pytest.approx(-1.5)
    assert log_at_rim(160.0) == pytest.approx(-1.5)
    assert log_at_rim(80.0) == pytest.approx(-1.5 * 0.55)


def test_nothing_is_lit_out_of_all_proportion() -> None:
    log = np.log(UnevenLight(9.0, 0.0, 0.0, 0.0, 0.0).gain(K, 128, 160))
    np.testing.assert_allclose([log.min(), log.max()], [-MOST, MOST], rtol=1e-5)


def test_all_directions_have_the_same_odds() -> None:
    K_even = np.array([[100.0, 0, 80], [0, 100.0, 80], [0, 0, 1]])
    drawn = [np.log(draw_uneven_light(np.random.default_rng(seed), 1.0).gain(K_even, 161, 161)) for seed in range(4000)]
    reach = 70
    slant = round(reach / np.sqrt(2))
    places = ((80, 80 + reach), (80 + reach, 80), (80 + slant, 80 + slant), (80 + slant, 80 - slant))
    spread = [np.std([log[place] for log in drawn]) for place in places]
    np.testing.assert_allclose(spread, spread[0], rtol=0.05)
