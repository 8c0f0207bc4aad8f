"""Pairs of rendered views that show enough of the same, and the motion between them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from endo_depth_ros.geometry.transforms import invert_transform, transform_points
from training.dataset import Sequences
from training.sequence_file import SequenceRecord, View, read_views

Array = NDArray[np.float64]

GRID_PX = 16
SAME_LOG_DEPTH = 0.08
TRIES = 10
# Pairs that one is chosen from by their rough motion, which is about so many times as large as the real one.
CHOICE = 40
ROUGHLY = 1.7


@dataclass(frozen=True, eq=False)
class ViewPair:
    """Two views of one body. T_first_second: maps points of the second camera into the first, metres."""

    first: View
    second: View
    T_first_second: Array


@dataclass(frozen=True)
class Overlap:
    """share: of a view's grid that another one shows. motion: how far it moves, median, in image widths."""

    share: float
    motion: float


def draw_pair(
    sequences: Sequences, sequence: int, max_motion: float, min_overlap: float, rng: np.random.Generator
) -> ViewPair | None:
    """Two views of a sequence, as often near as far apart; None where no two of them show the same.

    Raises SequenceFileError.
    """
    path, record = sequences.paths[sequence], sequences.records[sequence]
    poses = np.array([view.T_world_camera for view in record.views]).reshape(-1, 4, 4)
    motion = _rough_motion(path, record)
    possible = np.argwhere(motion <= ROUGHLY * max_motion)
    for _ in range(TRIES if len(possible) else 0):
        some = possible[rng.integers(len(possible), size=CHOICE)]
        wanted = ROUGHLY * max_motion * rng.uniform()
        i, j = some[np.argmin(np.abs(motion[some[:, 0], some[:, 1]] - wanted))]
        first, second = read_views(path, record, [int(i), int(j)])
        T_first_second = invert_transform(poses[i]) @ poses[j]
        overlap = measure_overlap(first, second, T_first_second)
        if overlap.share >= min_overlap and overlap.motion <= max_motion:
            return ViewPair(first, second, T_first_second)
    return None


@cache
def _rough_motion(path: Path, record: SequenceRecord) -> Array:
    """How far the picture moves between any two views at most, about, in widths, [N, N]; infinite for a view itself."""
    middle = read_views(path, record, [len(record.views) // 2])[0]
    distance = float(np.exp(np.nanmedian(middle.log_depth)))
    poses = np.array([view.T_world_camera for view in record.views]).reshape(-1, 4, 4)
    R, t = poses[:, :3, :3], poses[:, :3, 3]
    turns = Rotation.from_matrix((np.swapaxes(R, 1, 2)[:, None] @ R[None]).reshape(-1, 3, 3)).magnitude()
    shifts = np.linalg.norm(t[:, None] - t[None], axis=2) / distance
    motion = (turns.reshape(shifts.shape) + shifts) * middle.K[0, 0] / record.width
    np.fill_diagonal(motion, np.inf)
    return motion


def measure_overlap(first: View, second: View, T_first_second: Array) -> Overlap:
    """How much of a view another one shows, by depth."""
    height, width = first.log_depth.shape
    rows, columns = np.mgrid[GRID_PX // 2 : height : GRID_PX, GRID_PX // 2 : width : GRID_PX].reshape(2, -1)
    z = np.exp(first.log_depth[rows, columns].astype(np.float64))
    pixels = np.stack([columns, rows], 1)
    rays = np.column_stack([pixels, np.ones(len(z))]) @ np.linalg.inv(first.K).T
    points = transform_points(invert_transform(T_first_second), rays * z[:, None])
    ahead = points[:, 2] > 0.1 * np.nanmedian(z)
    projected = points[ahead] @ first.K.T
    there = projected[:, :2] / projected[:, 2:]
    within = ((there >= 0) & (there <= [width - 1, height - 1])).all(1)
    column, row = np.rint(there[within]).astype(np.intp).T
    apart = np.abs(np.log(points[ahead][within, 2]) - second.log_depth[row, column])
    within[within] = apart < SAME_LOG_DEPTH
    if not within.any():
        return Overlap(0.0, float("inf"))
    moved = np.linalg.norm(there - pixels[ahead], axis=1)[within]
    return Overlap(float(within.sum() / len(z)), float(np.median(moved)) / width)
