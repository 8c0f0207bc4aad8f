"""Trajectory errors over short windows, each with a scale of its own, as papers on SCARED report them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.geometry.trajectory import TrajectoryError
from endo_depth_ros.geometry.transforms import invert_transform

Transforms = NDArray[np.float64]
DEFAULT_LENGTH = 5


@dataclass(frozen=True)
class SnippetErrors:
    """Means and standard deviations over windows of `length` poses, in the unit of the poses and radians.

    ate, ate_std: root of the summed squared distance divided by the number of points N, not by its root. rmse: the same
    divided by the root of N, a root mean square. rotation_rad, rotation_std_rad. standstill_ate: ate of an estimate
    that never moves, which an estimate must beat. coverage: share of the windows in which every pose is estimated; the
    others are NaN without one.
    """

    ate: float
    ate_std: float
    rmse: float
    rotation_rad: float
    rotation_std_rad: float
    standstill_ate: float
    length: int
    windows: int
    coverage: float


def snippet_errors(estimate: Transforms, truth: Transforms, length: int = DEFAULT_LENGTH) -> SnippetErrors:
    """Errors of poses T_world_camera [N, 4, 4] that belong together one by one; NaN where the estimate has none.

    Windows start at every relative pose but the last and are cut short at the end (Zhou et al. 2017 and the evaluation
    of AF-SfMLearner, Shao et al. 2022). Raises TrajectoryError for different numbers and for fewer than three poses.
    """
    if estimate.shape != truth.shape or len(truth) < 3:
        raise TrajectoryError(
            f"{len(estimate)} estimated and {len(truth)} true poses; give the same number of both, at least 3"
        )
    relative_estimate, relative_truth = relative_poses(estimate), relative_poses(truth)
    rows = []
    for start in range(len(relative_truth) - 1):
        window = slice(start, start + length - 1)
        if np.isfinite(relative_estimate[window]).all():
            rows.append(_window_errors(chain(relative_estimate[window]), chain(relative_truth[window])))
    windows, coverage = len(rows), len(rows) / (len(relative_truth) - 1)
    ate, rmse, rotation, standstill = np.array(rows or [(math.nan, math.nan, math.nan, math.nan)]).T
    return SnippetErrors(
        ate=float(np.mean(ate)),
        ate_std=float(np.std(ate)),
        rmse=float(np.mean(rmse)),
        rotation_rad=float(np.mean(rotation)),
        rotation_std_rad=float(np.std(rotation)),
        standstill_ate=float(np.mean(standstill)),
        length=length,
        windows=windows,
        coverage=coverage,
    )


def relative_poses(T_world_camera: Transforms) -> Transforms:
    """T_next_this of neighbours, [N - 1, 4, 4]: what a pose network that is given (next, this) predicts."""
    return np.stack([invert_transform(after) @ before for before, after in pairwise(T_world_camera)])


def chain(relative: Transforms) -> Transforms:
    """Identity and the products R0, R0 R1, R0 R1 R2 …, [n + 1, 4, 4], in the order of the published code.

    With T_next_this that product is no camera path, which would be … R1 R0; it is what the published figures measure.
    """
    poses = [np.eye(4)]
    for T in relative:
        poses.append(poses[-1] @ T)
    return np.stack(poses)


def _window_errors(estimate: Transforms, truth: Transforms) -> tuple[float, float, float, float]:
    """(ate, rmse, mean rotation, standstill ate) of one window of chained poses."""
    p, g = estimate[:, :3, 3], truth[:, :3, 3]
    power = float(np.sum(p**2))
    scale = float(np.sum(g * p)) / power if power > 0 else 0.0
    distance = math.sqrt(np.sum((scale * p - g) ** 2))
    count = len(g)
    rotation = float(np.mean([rotation_angle(G[:3, :3] @ P[:3, :3].T) for G, P in zip(truth, estimate, strict=True)]))
    return distance / count, distance / math.sqrt(count), rotation, math.sqrt(np.sum(g**2)) / count


def rotation_angle(R: NDArray[np.float64]) -> float:
    """Angle of a rotation [3, 3], radians, exact also for small ones."""
    skew = [R[0, 1] - R[1, 0], R[1, 2] - R[2, 1], R[0, 2] - R[2, 0]]
    return math.atan2(float(np.linalg.norm(skew)), float(np.trace(R)) - 1)
