"""Light cancels, texture stays, and what is no tissue leaves nothing to follow."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from endo_depth_ros.pose.appearance import MIDDLE, NOISE_FLOOR, SMOOTHING_PX, STRETCH, even_out

SHAPE = (256, 320)
EVERYWHERE = np.ones(SHAPE, bool)
Y, X = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(float)
DISC = np.hypot(X - 160, Y - 128) < 120


def rgb(grey: np.ndarray) -> np.ndarray:
    return np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def blobs(seed: int, width_px: float) -> np.ndarray:
    """Random texture of mean 0 and standard deviation 1."""
    smooth = cv2.GaussianBlur(np.random.default_rng(seed).normal(size=SHAPE), (0, 0), width_px)
    return (smooth - smooth.mean()) / smooth.std()


def noise(sigma: float) -> np.ndarray:
    return sigma * np.random.default_rng(9).normal(size=SHAPE)


def test_gain_and_offset_of_the_light_cancel() -> None:
    image = rgb(70 + 10 * blobs(0, 3))
    brighter = (1.6 * image.astype(np.float64) + 15).astype(np.uint8)
    difference = even_out(image, EVERYWHERE).grey.astype(float) - even_out(brighter, EVERYWHERE).grey
    assert np.abs(difference).max() <= 6


def test_a_flat_image_stays_flat() -> None:
    assert (even_out(rgb(np.full(SHAPE, 90)), EVERYWHERE).grey == MIDDLE).all()


def test_faint_texture_that_is_wider_than_noise_stands_out_of_it() -> None:
    texture = blobs(1, 4)
    inner = np.s_[30:-30, 30:-30]
    picture = even_out(rgb(100 + 1.5 * texture + noise(2.0)), EVERYWHERE).grey.astype(float)
    assert np.corrcoef(picture[inner].ravel(), texture[inner].ravel())[0, 1] > 0.7
    bare = even_out(rgb(100 + noise(2.0)), EVERYWHERE).grey
    assert bare[inner].std() < 0.6 * picture[inner].std()


def test_the_rim_of_the_view_leaves_no_ring_that_stands_still() -> None:
    light = np.where(DISC, 200 - 0.008 * ((X - 160) ** 2 + (Y - 128) ** 2), 0)
    picture = even_out(rgb(cv2.GaussianBlur(light, (0, 0), 1.0)), DISC).grey.astype(float)
    assert np.abs(picture - MIDDLE).max() < 25


@pytest.mark.parametrize("hidden", [~DISC, (X > 100) & (X < 140)])
def test_what_is_no_tissue_and_its_edge_are_middle_grey(hidden: np.ndarray) -> None:
    picture = even_out(rgb(np.where(hidden, 250, 90 + 12 * blobs(2, 3))), ~hidden).grey
    near = cv2.dilate(hidden.astype(np.uint8), np.ones((7, 7), np.uint8)).astype(bool)
    assert (picture[near] == MIDDLE).all()
    assert picture[~near].std() > 15


def test_no_tissue_at_all_is_no_error() -> None:
    picture = even_out(rgb(np.zeros(SHAPE)), ~EVERYWHERE)
    assert (picture.grey == MIDDLE).all()
    assert np.isfinite(picture.noise).all()


def test_noise_is_said_in_the_pictures_own_grey_levels() -> None:
    picture = even_out(rgb(100 + noise(4.0)), EVERYWHERE)
    left = (4.0 / (2 * np.sqrt(np.pi) * SMOOTHING_PX)) ** 2  # variance of white noise behind a Gaussian
    assert np.median(picture.noise) == pytest.approx(4.0 * STRETCH / np.sqrt(left + NOISE_FLOOR**2), rel=0.15)
