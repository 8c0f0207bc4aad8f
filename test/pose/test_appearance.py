"""Light cancels, texture stays."""

from __future__ import annotations

import numpy as np

from endo_depth_ros.pose.appearance import even_out


def texture() -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.repeat(rng.integers(60, 120, (64, 80, 1), dtype=np.uint8), 3, axis=2)


def test_gain_and_offset_of_the_light_cancel() -> None:
    image = texture()
    brighter = (1.8 * image.astype(np.float64) + 15).astype(np.uint8)
    difference = even_out(image).astype(float) - even_out(brighter).astype(float)
    assert np.abs(difference).max() <= 4


def test_a_flat_image_stays_flat() -> None:
    flat = np.full((64, 80, 3), 90, np.uint8)
    assert np.ptp(even_out(flat)) == 0


def test_noise_is_not_stretched_to_texture() -> None:
    rng = np.random.default_rng(0)
    noise = np.repeat((90 + rng.integers(-1, 2, (64, 80, 1))).astype(np.uint8), 3, axis=2)
    assert even_out(noise).std() < 0.3 * even_out(texture()).std()
