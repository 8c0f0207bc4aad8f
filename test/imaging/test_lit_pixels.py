"""The sample of pixels that a frame is judged by."""

import numpy as np

from endo_depth_ros.imaging.lit_pixels import find_core, find_level, sample_lit_pixels


def everywhere(image):
    return np.ones(image.shape[:2], bool)


def test_dark_pixels_are_counted_but_have_no_colour():
    image = np.zeros((64, 80, 3), np.uint8)
    image[:, :20] = (200, 100, 50)
    pixels = sample_lit_pixels(image, everywhere(image))
    assert pixels.share == 0.25
    assert set(pixels.red) == {200}
    assert set(pixels.most) == {200}
    assert set(pixels.least) == {50}


def test_brightness_is_what_a_twentieth_of_all_pixels_exceeds():
    image = np.zeros((100, 100, 3), np.uint8)
    image[:6] = (240, 0, 0)
    assert sample_lit_pixels(image, everywhere(image)).brightness == 240
    image[4:6] = 0
    assert sample_lit_pixels(image, everywhere(image)).brightness == 0


def test_only_the_core_counts():
    image = np.full((64, 80, 3), (0, 200, 0), np.uint8)
    core = np.zeros((64, 80), bool)
    image[10:20, 10:20], core[10:20, 10:20] = (200, 0, 0), True
    pixels = sample_lit_pixels(image, core)
    assert (pixels.red == 200).all()
    assert pixels.share == 1


def test_the_core_stays_off_the_rim_but_reaches_the_edges_of_the_image():
    inside = np.zeros((180, 320), bool)
    inside[:, 100:] = True
    core = find_core(inside)
    assert not core[:, :106].any()
    assert core[:, 107:].all()


def test_a_field_of_view_without_pixels_has_no_levels():
    image = np.full((16, 16, 3), 200, np.uint8)
    pixels = sample_lit_pixels(image, np.zeros((16, 16), bool))
    assert (pixels.share, pixels.brightness, len(pixels.red)) == (0, 0, 0)


def test_levels_are_quantiles():
    values = np.arange(200, dtype=np.uint8)
    assert find_level(values, 0.02) == 3
    assert find_level(values, 0.5) == 99
    assert find_level(values, 1.0) == 199
