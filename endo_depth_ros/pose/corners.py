"""Where a new keyframe's points are: the best corner of every grid cell that has none yet."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

BLOCK_PX = 5
STRONG = 0.98  # quantile of corner strength that counts as strong


def find_corners(
    picture: NDArray[np.uint8],
    usable: NDArray[np.bool_],
    taken: NDArray[np.float32],
    cell_px: int,
    quality: float,
) -> NDArray[np.float32]:
    """Pixels (x, y) float32 [N, 2] of the strongest corner in each cell of the grid without a point.

    picture: uint8 [H, W]. usable: bool [H, W]. taken: float32 [M, 2], points there are already.
    quality: least strength as a share of a strong corner's (Shi and Tomasi 1994).
    """
    height, width = picture.shape
    if height < cell_px or width < cell_px:
        return np.zeros((0, 2), np.float32)
    strength = cv2.cornerMinEigenVal(picture, BLOCK_PX)
    strength[~usable] = 0
    rows, columns = height // cell_px, width // cell_px
    cells = strength[: rows * cell_px, : columns * cell_px].reshape(rows, cell_px, columns, cell_px)
    in_cell = cells.transpose(0, 2, 1, 3).reshape(rows, columns, -1)
    best, peak = in_cell.argmax(axis=-1), in_cell.max(axis=-1)
    free = np.ones((rows, columns), bool)
    cell = np.asarray(taken, np.int64) // cell_px
    within = (cell[:, 0] < columns) & (cell[:, 1] < rows)
    free[cell[within, 1], cell[within, 0]] = False
    row, column = np.nonzero(free & (peak > quality * np.quantile(peak, STRONG)) & (peak > 0))
    inner = best[row, column]
    return np.stack([column * cell_px + inner % cell_px, row * cell_px + inner // cell_px], axis=1).astype(np.float32)
