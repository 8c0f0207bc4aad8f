"""Stored pictures lose less than a video does."""

from __future__ import annotations

import numpy as np
import pytest

from training.codecs import (
    BRIGHT_MEDIANS,
    LOG_DEPTH_STEP,
    LightCode,
    PictureError,
    decode_depth,
    decode_light,
    encode_depth,
    encode_light,
)


def smooth_light() -> np.ndarray:
    y, x = np.mgrid[:64, :80]
    light = np.exp(np.sin(x / 13) + np.cos(y / 11))
    return np.stack([light, 0.6 * light, 0.5 * light], -1).astype(np.float32)


def test_light_comes_back_within_a_step_of_video() -> None:
    light = smooth_light()
    error = np.abs(decode_light(*encode_light(light, quality=95)) / light - 1)
    assert np.median(error) < 0.028
    assert np.quantile(error, 0.99) < 0.08


def test_the_scale_of_light_does_not_matter() -> None:
    light = smooth_light()
    one, other = (decode_light(*encode_light(light * scale, quality=95)) / scale for scale in (1.0, 1e-6))
    np.testing.assert_allclose(one, other, rtol=1e-4)


def test_highlights_are_kept_up_to_many_medians() -> None:
    light = np.ones((32, 32, 3), np.float32)
    light[8:24, 8:24] = 1e5
    decoded = decode_light(*encode_light(light, quality=95))
    assert decoded[16, 16, 1] == pytest.approx(BRIGHT_MEDIANS, rel=0.05)


def test_nothing_seen_is_dark() -> None:
    light = np.full((32, 32, 3), np.nan, np.float32)
    assert decode_light(*encode_light(light, quality=95)).max() < 1e-6


def test_depth_comes_back_within_half_a_step_and_unknown_stays_unknown() -> None:
    depth = np.geomspace(3e-4, 5.0, 64 * 80, dtype=np.float32).reshape(64, 80)
    depth[3, 4] = np.nan
    instrument = np.zeros(depth.shape, bool)
    instrument[10:20] = True
    log_depth, decoded = decode_depth(encode_depth(depth, instrument))
    np.testing.assert_allclose(log_depth, np.log(depth), atol=0.51 * LOG_DEPTH_STEP)
    np.testing.assert_array_equal(decoded, instrument)


def test_damaged_pictures_are_named() -> None:
    with pytest.raises(PictureError, match="light"):
        decode_light(b"no jpeg", LightCode(0.1, 1.0))
    with pytest.raises(PictureError, match="depth"):
        decode_depth(b"no png")
