"""Smoke and blood over the picture, and tissue that looks a little like them."""

import numpy as np
import pytest
from degraded import cover
from scopes import make_tissue

from endo_depth_ros.imaging.lit_pixels import sample_lit_pixels
from endo_depth_ros.imaging.veil import measure_veil

OPACITY = 0.4


def measure(image):
    return measure_veil(sample_lit_pixels(image, np.ones(image.shape[:2], bool)))


def cavity(seed=0, colour=(1.0, 0.6, 0.5), size=(320, 256)):
    """Tissue that is bright near the rim and dark in the middle."""
    y, x = np.mgrid[: size[1], : size[0]]
    away = np.hypot(x / size[0] - 0.5, y / size[1] - 0.5)
    tissue = make_tissue(*size, np.random.default_rng(seed)) / np.array([1.0, 0.6, 0.5])
    return np.clip(tissue * np.clip(3 * away, 0.03, 1)[..., None] * np.array(colour), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("white", [255, 230, 200])
def test_white_smoke_shows_as_a_floor_of_white(white):
    veil = measure(cover(cavity(), (white, white, white)))
    assert veil.is_smoke(OPACITY)
    assert not veil.is_blood(OPACITY)
    assert 0.6 * white / 255 - 0.01 <= veil.white <= 0.6 * white / 255 + 0.06


@pytest.mark.parametrize("red", [(255, 0, 0), (200, 20, 20), (150, 10, 10), (120, 0, 0)])
@pytest.mark.parametrize("tissue", [(1.0, 0.6, 0.5), (1.0, 0.85, 0.75), (0.8, 0.35, 0.3)])
def test_a_red_film_shows_as_a_floor_of_red_under_faint_green(red, tissue):
    veil = measure(cover(cavity(colour=tissue), red))
    assert veil.is_blood(OPACITY)
    assert not veil.is_smoke(OPACITY)


@pytest.mark.parametrize("tissue", [(1.0, 0.6, 0.5), (1.0, 0.85, 0.75), (0.8, 0.35, 0.3), (0.9, 0.85, 0.8)])
def test_a_clear_view_has_neither(tissue):
    veil = measure(cavity(colour=tissue))
    assert veil.white < OPACITY / 2
    assert not veil.is_smoke(OPACITY)
    assert not veil.is_blood(OPACITY)


def test_pale_tissue_close_to_the_lens_is_no_smoke():
    near = np.linspace(110, 255, 320)[None, :, None] * np.ones((256, 1, 1)) * np.array([1.0, 0.99, 0.97])
    veil = measure(near.astype(np.uint8))
    assert veil.white > OPACITY
    assert not veil.is_smoke(OPACITY)


def test_red_tissue_with_a_dark_lumen_is_no_blood():
    red = np.linspace(30, 255, 320)[None, :, None] * np.ones((256, 1, 1)) * np.array([1.0, 0.3, 0.25])
    assert not measure(red.astype(np.uint8)).is_blood(OPACITY)


def test_vivid_tissue_close_to_the_lens_is_no_blood():
    red = np.linspace(100, 255, 320)[None, :, None] * np.ones((256, 1, 1)) * np.array([1.0, 0.38, 0.25])
    assert not measure(red.astype(np.uint8)).is_blood(OPACITY)


@pytest.mark.parametrize("gain", [1.0, 0.5, 0.3])
def test_smoke_is_seen_in_little_light_too(gain):
    smoky = cover(cavity(), (220, 220, 225))
    assert measure((gain * smoky).astype(np.uint8)).is_dim_smoke(OPACITY)


@pytest.mark.parametrize("gain", [1.0, 0.6, 0.45])
def test_tissue_in_little_light_is_no_smoke(gain):
    assert not measure((gain * cavity(colour=(1.0, 0.98, 0.95))).astype(np.uint8)).is_dim_smoke(OPACITY)


def test_thin_haze_passes():
    assert not measure(cover(cavity(), (255, 255, 255), 0.2)).is_smoke(OPACITY)
