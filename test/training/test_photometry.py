"""Random colours change colours, not places."""

from __future__ import annotations

import numpy as np

from training.photometry import hide_patches, jitter_colours


def image() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)


def test_no_strength_changes_nothing() -> None:
    np.testing.assert_array_equal(jitter_colours(image(), np.random.default_rng(1), strength=0.0), image())


def test_colours_change_differently_each_time() -> None:
    one, other = (jitter_colours(image(), np.random.default_rng(seed), strength=1.0) for seed in (1, 2))
    assert np.abs(one.astype(int) - image()).mean() > 2
    assert np.abs(one.astype(int) - other).mean() > 2


def test_black_stays_black() -> None:
    black = np.zeros((8, 8, 3), np.uint8)
    assert jitter_colours(black, np.random.default_rng(1), strength=1.0).max() == 0


def test_patches_hide_a_part() -> None:
    hidden = image()
    hide_patches(hidden, np.random.default_rng(0))
    changed = (hidden != image()).any(2).mean()
    assert 0 < changed < 0.3
