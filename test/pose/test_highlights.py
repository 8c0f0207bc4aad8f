"""Mirrored light is white; bright tissue has the tissue's colour."""

from __future__ import annotations

import numpy as np
import pytest

from endo_depth_ros.pose.highlights import find_highlights

SHAPE = (256, 320)
EVERYWHERE = np.ones(SHAPE, bool)
Y, X = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(float)
MUCOSA, DISTANCE = np.array([150.0, 80.0, 70.0]), np.hypot(X - 200, Y - 90)


def glint(strength: float) -> np.ndarray:
    """How much of the lamp's white is added, [H, W, 1]: round, 6 px wide."""
    return (strength * np.exp(-0.5 * (DISTANCE / 6) ** 2))[..., None]


@pytest.mark.parametrize("strength", [50.0, 90.0, 200.0])
@pytest.mark.parametrize("tissue", [MUCOSA, MUCOSA[[1, 0, 2]], np.array([140.0, 120.0, 90.0])])
def test_a_glint_is_found_and_nothing_else(tissue: np.ndarray, strength: float) -> None:
    image = np.clip(tissue + glint(strength), 0, 255).astype(np.uint8)
    found = find_highlights(image, EVERYWHERE)
    assert found[DISTANCE < 4].all()
    assert not found[DISTANCE > 25].any()


@pytest.mark.parametrize("brighter", [1.3, 1.7])
def test_brighter_tissue_of_the_same_colour_is_none(brighter: float) -> None:
    image = np.clip(MUCOSA * np.where(DISTANCE < 8, brighter, 1.0)[..., None], 0, 255).astype(np.uint8)
    assert not find_highlights(image, EVERYWHERE).any()


def test_yellow_fat_beside_red_tissue_is_none() -> None:
    image = np.where((DISTANCE < 10)[..., None], [190, 150, 80], MUCOSA).astype(np.uint8)
    assert not find_highlights(image, EVERYWHERE).any()


def test_the_dark_beyond_the_view_makes_nothing_bright() -> None:
    view = np.hypot(X - 160, Y - 128) < 120
    image = np.where(view[..., None], MUCOSA, 0).astype(np.uint8)
    assert not find_highlights(image, view)[view].any()


def test_no_tissue_is_no_error() -> None:
    assert not find_highlights(np.zeros((*SHAPE, 3), np.uint8), ~EVERYWHERE).any()
