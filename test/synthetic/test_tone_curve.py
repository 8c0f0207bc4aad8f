"""Linear light to video levels."""

import numpy as np
import pytest

from endo_depth_ros.synthetic.tone_curve import ToneCurve, apply_curve, draw_tone_curve

BELOW_KNEE = np.linspace(0, 0.9, 500, dtype=np.float32)


def levels(curve, light):
    return apply_curve(np.asarray(light, np.float32).reshape(1, -1), curve.table())[0]


def test_a_power_is_within_a_grey_level():
    assert levels(ToneCurve(gamma=2.2, knee=0.95), BELOW_KNEE) == pytest.approx(255 * BELOW_KNEE ** (1 / 2.2), abs=1.01)


def test_srgb_is_the_standard():
    standard = np.where(BELOW_KNEE <= 0.0031308, 12.92 * BELOW_KNEE, 1.055 * BELOW_KNEE ** (1 / 2.4) - 0.055)
    assert levels(ToneCurve(gamma=2.4, offset=0.055, knee=0.95), BELOW_KNEE) == pytest.approx(255 * standard, abs=1.01)


def test_bt709_is_the_standard():
    standard = np.where(BELOW_KNEE < 0.018, 4.5 * BELOW_KNEE, 1.099 * BELOW_KNEE**0.45 - 0.099)
    curve = ToneCurve(gamma=1 / 0.45, offset=0.099, knee=0.95)
    assert levels(curve, BELOW_KNEE) == pytest.approx(255 * standard, abs=1.2)


def test_the_knee_never_clips_what_fits():
    above = levels(ToneCurve(knee=0.5), [0.5, 0.8, 1.1, 2.0, 50.0])
    assert np.all(np.diff(above.astype(int)) >= 0)
    assert above[2] < 250
    assert above[-1] == 255


def test_an_s_curve_darkens_the_dark_and_brightens_the_bright():
    light = [0.02, 0.6]
    plain, steep = levels(ToneCurve(knee=0.95), light), levels(ToneCurve(knee=0.95, contrast=0.8), light)
    assert steep[0] < plain[0]
    assert steep[1] > plain[1]


def test_black_and_white_limit_the_range():
    dark, bright = levels(ToneCurve(black=0.05, white=0.9), [0.0, 100.0])
    assert dark == round(0.05 * 255)
    assert bright == pytest.approx(0.9 * 255, abs=1)


def test_drawn_curves_never_fall():
    light = np.linspace(0, 4, 2000)
    for seed in range(50):
        assert np.all(np.diff(levels(draw_tone_curve(np.random.default_rng(seed)), light).astype(int)) >= 0)
