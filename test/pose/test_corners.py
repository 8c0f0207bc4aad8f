"""One good corner per cell."""

from __future__ import annotations

import numpy as np

from endo_depth_ros.pose.corners import find_corners

NONE = np.zeros((0, 2), np.float32)


def checks() -> np.ndarray:
    rows, columns = np.mgrid[:64, :96] // 7 % 2
    return (60 + 120 * (rows ^ columns)).astype(np.uint8)


def test_every_cell_has_one_corner_at_most() -> None:
    corners = find_corners(checks(), np.ones((64, 96), bool), NONE, 16, 0.02)
    cells = {tuple(cell) for cell in (corners // 16).astype(int)}
    assert len(cells) == len(corners) == 4 * 6


def test_cells_with_a_point_get_no_other() -> None:
    corners = find_corners(checks(), np.ones((64, 96), bool), np.array([[20.0, 40.0]], np.float32), 16, 0.02)
    assert not ((corners // 16).astype(int) == [1, 2]).all(axis=1).any()
    assert len(corners) == 4 * 6 - 1


def test_corners_stay_where_they_are_usable() -> None:
    usable = np.zeros((64, 96), bool)
    usable[:, 48:] = True
    corners = find_corners(checks(), usable, NONE, 16, 0.02)
    assert len(corners)
    assert (corners[:, 0] >= 48).all()


def test_a_flat_picture_has_none() -> None:
    assert len(find_corners(np.full((64, 96), 128, np.uint8), np.ones((64, 96), bool), NONE, 16, 0.02)) == 0


def test_an_image_smaller_than_a_cell_has_no_corners() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (8, 40), np.uint8)
    none = find_corners(picture, np.ones((8, 40), bool), np.zeros((0, 2), np.float32), 16, 0.01)
    assert none.shape == (0, 2)
