"""The colours of bodies and of rooms."""

import numpy as np
import pytest
from scopes import make_tissue

from endo_depth_ros.imaging.body_colour import measure_body_colour
from endo_depth_ros.imaging.lit_pixels import sample_lit_pixels

MAX_COLD = 0.05
W, H = 320, 256


def measure(image):
    return measure_body_colour(sample_lit_pixels(image.astype(np.uint8), np.ones(image.shape[:2], bool)))


def tissue(colour):
    grey = make_tissue(W, H, np.random.default_rng(1))[..., :1]
    return grey * np.array(colour)


def room():
    """White wall, bluish floor, red cupboard, wooden table."""
    image = np.empty((H, W, 3))
    image[:90], image[90:] = (225, 222, 215), (95, 105, 120)
    image[60:150, :140] = (150, 20, 30)
    image[150:230, 180:] = (170, 130, 90)
    return image


@pytest.mark.parametrize(
    "colour", [(1, 0.5, 0.4), (0.6, 0.25, 0.25), (1, 0.9, 0.75), (0.75, 0.68, 0.6), (1, 0.75, 0.8)]
)
def test_tissue_and_phantoms_are_bodies(colour):
    found = measure(tissue(colour))
    assert found.cold == 0
    assert not found.is_foreign(MAX_COLD)


def test_a_room_is_no_body():
    found = measure(room())
    assert found.is_foreign(MAX_COLD)
    assert found.cold > 3 * MAX_COLD


@pytest.mark.parametrize("steel", [(150, 150, 150), (120, 130, 145)])
def test_a_large_instrument_in_a_body_is_in_a_body(steel):
    image = tissue((1, 0.55, 0.45))
    image[:, 60:190] = steel
    assert not measure(image).is_foreign(MAX_COLD)


def test_a_camera_without_colour_is_never_outside():
    assert not measure(tissue((1, 1, 1))).is_foreign(MAX_COLD)


def test_one_tint_over_everything_is_no_room():
    assert not measure(tissue((0.7, 1, 0.8))).is_foreign(MAX_COLD)


def test_a_white_balance_that_makes_a_body_grey_makes_no_room_of_it():
    rng = np.random.default_rng(2)
    noisy = tissue((0.97, 1, 1.0)) * rng.uniform(0.9, 1.1, (H, W, 3))
    found = measure(noisy.clip(0, 255))
    assert found.is_grey(MAX_COLD)
    assert not found.is_foreign(MAX_COLD)


def test_clipped_and_dim_pixels_have_no_colour():
    image = tissue((1, 0.9, 0.8))
    image[:60] = (254, 255, 255)
    image[60:120] = (33, 40, 45)
    assert measure(image).cold == 0
