"""What one drawn body is: where its walls are, what they are made of, and a way through it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

# Where down is, in the world, for whoever holds a rigid scope upright.
DOWN = (0.0, 1.0, 0.0)


@dataclass(frozen=True, eq=False)
class Anatomy:
    """Walls of one body as a continuous field, in world coordinates, metres.

    clearance: maps points float32 [3, N] to [N]: positive in free space, zero on the wall, negative in tissue; near the
    wall it changes by at most `steepness` per metre, so that a step of clearance / steepness is safe.
    part: maps points near the wall [3, N] to the index of what is there, int64 [N]; palettes[part] colours it.
    low, high: corners of the box that holds the free space and 3 mm of wall around it, [3].
    way: float64 [M, 3] with M >= 4, points along a path through free space for the camera.
    voxel: edge of the voxels that keep the detail of these walls.
    trocar: where a rigid scope enters, about which it turns, held upright; None where a flexible one goes its way.
    sights: float64 [S, 3], points that a surgeon would look at: heads of turbinates, polyps.
    """

    family: str
    clearance: Callable[[Tensor], Tensor]
    part: Callable[[Tensor], Tensor]
    palettes: tuple[str, ...]
    steepness: float
    low: tuple[float, float, float]
    high: tuple[float, float, float]
    way: NDArray[np.float64]
    voxel: float
    trocar: tuple[float, float, float] | None = None
    sights: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 3)))
