"""Trajectory errors of the SimCol3D challenge: medians under one scale for the whole trajectory."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.evaluation.snippets import chain, rotation_angle
from endo_depth_ros.geometry.trajectory import TrajectoryError
from endo_depth_ros.geometry.transforms import invert_transform


@dataclass(frozen=True)
class SimcolPoseErrors:
    """Medians over frames, in the unit of the poses and degrees.

    ate: distance of camera centres, both paths from the same first pose. rte, rotation_deg: of the relative pose to the
    next frame. scale: what the estimate's translations were multiplied by.
    """

    ate: float
    rte: float
    rotation_deg: float
    scale: float


def simcol_pose_errors(estimate: NDArray[np.float64], truth: NDArray[np.float64]) -> SimcolPoseErrors:
    """Errors of poses T_world_camera [N, 4, 4] that belong together one by one (SimCol3D, eval_synthetic_pose).

    scale = Σ gt · pred / Σ pred² over the relative translations. Raises TrajectoryError for different numbers, for
    fewer than two poses, and for an estimate that never moves.
    """
    if estimate.shape != truth.shape or len(truth) < 2:
        raise TrajectoryError(
            f"{len(estimate)} estimated and {len(truth)} true poses; give the same number of both, at least 2"
        )
    P, Q = _steps(estimate), _steps(truth)
    power = float(np.sum(P[:, :3, 3] ** 2))
    if power == 0:
        raise TrajectoryError("the estimated camera never moves, so that no scale is determined; check the tracker")
    scale = float(np.sum(Q[:, :3, 3] * P[:, :3, 3])) / power
    P[:, :3, 3] *= scale
    errors = [invert_transform(q) @ p for q, p in zip(Q, P, strict=True)]
    distances = np.linalg.norm(chain(P)[:, :3, 3] - chain(Q)[:, :3, 3], axis=1)
    return SimcolPoseErrors(
        ate=float(np.median(distances)),
        rte=float(np.median([np.linalg.norm(E[:3, 3]) for E in errors])),
        rotation_deg=math.degrees(np.median([rotation_angle(E[:3, :3]) for E in errors])),
        scale=scale,
    )


def _steps(T_world_camera: NDArray[np.float64]) -> NDArray[np.float64]:
    """T_this_next of neighbours, [N - 1, 4, 4]."""
    return np.stack([invert_transform(this) @ following for this, following in pairwise(T_world_camera)])
