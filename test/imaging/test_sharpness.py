"""The width of edges."""

import math

import cv2
import numpy as np
import pytest
from degraded import blur, cover

from endo_depth_ros.imaging.sharpness import measure_edge_width

W, H = 320, 256


def steps(width=W, height=H, contrast=120):
    """Slanted steps in brightness, anti-aliased."""
    big = np.full((4 * height, 4 * width), 60, np.uint8)
    for x in range(0, 4 * width, width // 2):
        corners = np.array([[x, 0], [x + width // 4, 0], [x + width // 2, 4 * height], [x + width // 4, 4 * height]])
        cv2.fillPoly(big, [corners], 60 + contrast)
    return np.repeat(cv2.resize(big, (width, height), interpolation=cv2.INTER_AREA)[..., None], 3, 2)


def measure(image, core=None):
    return measure_edge_width(image, np.ones(image.shape[:2], bool) if core is None else core)


@pytest.mark.parametrize("width_px", [1.0, 1.5, 2.0, 3.0])
def test_the_width_is_that_of_the_blur(width_px):
    assert measure(cv2.GaussianBlur(steps(), (0, 0), width_px)) == pytest.approx(width_px, rel=0.12, abs=0.1)


def test_contrast_and_smoke_change_nothing():
    soft = cv2.GaussianBlur(steps(), (0, 0), 2.0)
    assert measure(cover(soft, (255, 255, 255))) == pytest.approx(measure(soft), abs=0.2)


def test_a_larger_picture_of_the_same_has_the_same_width():
    large = steps(2 * W, 2 * H)
    assert measure(blur(large)) == pytest.approx(measure(blur(steps())), rel=0.1)


def test_noise_does_not_sharpen_a_blurred_picture():
    soft = cv2.GaussianBlur(steps(), (0, 0), 2.0).astype(np.float32)
    noisy = soft + np.random.default_rng(0).normal(0, 2, soft.shape)
    assert measure(np.clip(noisy, 0, 255).astype(np.uint8)) > 1.6


def test_a_few_sharp_things_among_soft_folds_are_enough():
    image = cv2.GaussianBlur(steps(), (0, 0), 4.0)
    image[:, 120:] = steps()[:, 120:]
    assert measure(image) < 1.0


def test_an_even_picture_and_slow_shading_have_no_edges():
    assert math.isnan(measure(np.full((H, W, 3), 120, np.uint8)))
    ramp = np.linspace(40, 220, W, dtype=np.float32)[None, :, None] * np.ones((H, 1, 3), np.float32)
    assert math.isnan(measure(ramp.astype(np.uint8)))


def test_the_rim_of_the_scope_is_no_edge():
    image = np.zeros((H, W, 3), np.uint8)
    core = np.zeros((H, W), bool)
    cv2.circle(image, (160, 128), 110, (120, 120, 120), cv2.FILLED)
    core[90:166, 100:220] = True
    assert math.isnan(measure(image, core))
