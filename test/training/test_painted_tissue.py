"""Paint changes how tissue looks and nothing else, and lies on it as texture does."""

from __future__ import annotations

import numpy as np

from training.painted_tissue import Layer, Region, draw_layers, draw_region, paint
from training.sequence_file import View

K = np.array([[80.0, 0, 47.5], [0, 80.0, 31.5], [0, 0, 1]])
MOTTLED = (Layer(bump=0.1, mottling=0.3, vessels=0.0, vessel_width=0.1, rgb=(1.0, 1.0, 1.0)),)


def view(depth_m: np.ndarray | None = None) -> View:
    depth = np.full((64, 96), 0.05) if depth_m is None else depth_m
    instrument = np.zeros((64, 96), bool)
    instrument[:, :10] = True
    log_depth = np.log(depth).astype(np.float32)
    log_depth[:8] = np.nan
    return View(np.full((64, 96, 3), 0.4, np.float32), log_depth, instrument, K)


def log_gain(seen: View, layers: tuple[Layer, ...], seed: int = 0) -> np.ndarray:
    return np.log(paint(seen, layers, np.random.default_rng(seed)) / seen.radiance)[..., 1]


def test_no_strength_changes_nothing() -> None:
    layers = draw_layers(np.random.default_rng(0), strength=0.0)
    np.testing.assert_array_equal(log_gain(view(), layers), 0)


def test_instruments_and_what_has_no_depth_stay_as_they_are() -> None:
    gain = log_gain(view(), MOTTLED)
    assert np.all(gain[:8] == 0)
    assert np.all(gain[:, :10] == 0)
    assert np.std(gain[8:, 10:]) > 0.1


def test_a_view_without_tissue_stays_as_it_is() -> None:
    empty = view(np.full((64, 96), np.nan))
    np.testing.assert_array_equal(paint(empty, MOTTLED, np.random.default_rng(0)), empty.radiance)


def test_mottling_has_the_contrast_that_is_asked_for_and_leaves_the_mean() -> None:
    gains = np.concatenate([log_gain(view(), MOTTLED, seed)[8:, 10:].ravel() for seed in range(20)])
    assert abs(gains.std() - 0.3) < 0.05
    assert abs(gains.mean()) < 0.05


def test_paint_is_finer_where_the_tissue_is_farther() -> None:
    depth = np.full((64, 96), 0.02)
    depth[:, 48:] = 0.06
    wide = (Layer(bump=0.8, mottling=0.3, vessels=0.0, vessel_width=0.1, rgb=(1.0, 1.0, 1.0)),)
    steps = np.abs(np.diff(np.stack([log_gain(view(depth), wide, seed)[8:] for seed in range(10)]), axis=2))
    assert steps[..., 48:].mean() > 2 * steps[..., 10:46].mean()


def test_vessels_only_darken() -> None:
    vessels = (Layer(bump=0.1, mottling=0.0, vessels=0.5, vessel_width=0.1, rgb=(0.5, 1.0, 1.0)),)
    gain = log_gain(view(), vessels)
    assert gain.max() <= 0
    assert gain.min() < -0.2


def test_another_tissue_is_as_bright_as_asked_for_where_it_is_and_leaves_the_rest() -> None:
    regions = (Region(bump=0.3, threshold=0.0, edge=0.01, log_reflectance=(-0.3, -1.0, -0.8)),)
    painted = paint(view(), (), np.random.default_rng(1), regions)[8:, 10:]
    gain = np.log(painted / 0.4)
    there = gain[..., 1] < -0.5
    assert 0.2 < there.mean() < 0.8
    assert np.mean(np.abs(gain[there] - [-0.3, -1.0, -0.8]).max(-1) < 0.05) > 0.85
    assert np.mean(np.abs(gain[~there]).max(-1) < 0.05) > 0.85


def test_regions_of_one_size_lie_at_places_of_their_own() -> None:
    def where(count: int) -> np.ndarray:
        each = Region(bump=0.4, threshold=0.5, edge=0.02, log_reflectance=(-1.0, -1.0, -1.0))
        painted = paint(view(), (), np.random.default_rng(3), (each,) * count)
        return np.log(painted / 0.4)[8:, 10:, 1]

    shares = [(where(count) - where(count - 1)) < -0.5 for count in range(1, 5)]
    for number, first in enumerate(shares):
        assert 0.05 < first.mean() < 0.6
        for second in shares[:number]:
            assert (first & second).mean() < 0.8 * min(first.mean(), second.mean())


def test_regions_are_dark_and_pale_as_often_and_none_without_strength() -> None:
    drawn = [draw_region(np.random.default_rng(seed), 1.0).log_reflectance[1] for seed in range(2000)]
    assert abs(np.median(drawn)) < 0.05
    assert 0.7 < np.std(drawn) < 0.9
    assert draw_region(np.random.default_rng(0), 0.0).log_reflectance == (0.0, 0.0, 0.0)


def test_bumps_of_a_pixel_are_not_painted() -> None:
    fine = (Layer(bump=1 / 80, mottling=0.3, vessels=0.5, vessel_width=0.1, rgb=(1.0, 1.0, 1.0)),)
    np.testing.assert_array_equal(log_gain(view(), fine), 0)


def test_frames_of_a_pair_are_painted_alike() -> None:
    layers = draw_layers(np.random.default_rng(3), strength=1.0)
    np.testing.assert_array_equal(log_gain(view(), layers, 5), log_gain(view(), layers, 5))
