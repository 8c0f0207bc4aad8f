"""The sensor's noise is measured, not the tissue's texture."""

from __future__ import annotations

import numpy as np
import pytest

from endo_depth_ros.pose.sensor_noise import ROUNDING, measure_noise

SHAPE = (256, 320)
EVERYWHERE = np.ones(SHAPE, bool)
Y, X = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(float)
TEXTURE = 128 + 30 * np.cos(0.2 * X) * np.cos(0.15 * Y)


def with_noise(picture: np.ndarray, sigma: float, seed: int = 0) -> np.ndarray:
    return np.clip(picture + sigma * np.random.default_rng(seed).normal(size=picture.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("sigma", [2.0, 6.0, 15.0])
def test_noise_is_measured_on_texture_and_off_it(sigma: float) -> None:
    assert measure_noise(with_noise(np.full(SHAPE, 128.0), sigma), EVERYWHERE) == pytest.approx(sigma, rel=0.1)
    assert measure_noise(with_noise(TEXTURE, sigma), EVERYWHERE) == pytest.approx(sigma, rel=0.2)


def test_noise_beyond_the_tissue_and_the_tissues_edge_do_not_count() -> None:
    picture = with_noise(TEXTURE, 3.0)
    tissue = EVERYWHERE.copy()
    tissue[:, :200] = False
    picture[:, :200] = with_noise(np.full((256, 200), 128.0), 40.0, 1)
    assert measure_noise(picture, tissue) == pytest.approx(3.0, rel=0.2)
    stripes = (X % 8) < 4  # nothing is far from an edge that is 128 grey levels high
    assert measure_noise(with_noise(np.where(stripes, 128, 0), 3.0), stripes) == pytest.approx(3.0, rel=0.2)


def test_it_is_never_less_than_rounding() -> None:
    assert measure_noise(np.full(SHAPE, 7, np.uint8), EVERYWHERE) == ROUNDING
    assert measure_noise(np.full(SHAPE, 7, np.uint8), ~EVERYWHERE) == ROUNDING
