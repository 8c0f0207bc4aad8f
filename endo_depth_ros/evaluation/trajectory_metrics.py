"""Errors of a camera trajectory against truth: absolute and relative pose error, by evo."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.geometry.trajectory import Trajectory, TrajectoryError


class Alignment(str, Enum):
    """What is fitted before the absolute error: similarity (monocular), rigid motion (metric), or nothing."""

    SIM3 = "sim3"
    SE3 = "se3"
    NONE = "none"


@dataclass(frozen=True)
class RelativeError:
    """Root mean square of the relative pose error over `pairs` pairs, metres and degrees; NaN without pairs."""

    translation: float
    rotation_deg: float
    pairs: int


@dataclass(frozen=True)
class TrajectoryErrors:
    """Errors of an estimated trajectory.

    ate: root mean square distance of the aligned camera centres from the truth's, metres. ate_percent: of the whole
    true path. straight_line_ate, straight_line_percent: the same for the best motion of constant velocity, which an
    estimate must beat. rpe_frame: over neighbouring true frames. rpe_path: over `rpe_path_length` metres of true path.
    scale: factor of the alignment. coverage: fraction of the true poses with an estimate.
    """

    alignment: Alignment
    ate: float
    ate_percent: float
    straight_line_ate: float
    straight_line_percent: float
    rpe_frame: RelativeError
    rpe_path: RelativeError
    rpe_path_length: float
    path_length: float
    scale: float
    coverage: float


def trajectory_errors(
    estimate: Trajectory,
    truth: Trajectory,
    alignment: Alignment = Alignment.SIM3,
    *,
    tolerance_ns: int = 1_000_000,
    rpe_path_length: float = 0.01,
) -> TrajectoryErrors:
    """Errors of the estimated poses nearest in time (within tolerance_ns) to true ones.

    The relative errors use the aligned poses (Sturm et al. 2012). Raises TrajectoryError for fewer than three common
    poses, for poses that leave the alignment open (a line, a standstill), and where evo is not installed.
    """
    index_estimate, index_truth = associate(estimate.stamps_ns, truth.stamps_ns, tolerance_ns)
    if len(index_truth) < 3:
        raise TrajectoryError(
            f"{len(index_truth)} of {len(truth.stamps_ns)} true poses have an estimate within {tolerance_ns} ns, "
            "at least 3 are needed; check the stamps or the tolerance"
        )
    common_truth = truth.at(index_truth)
    aligned, scale = align(estimate.at(index_estimate), common_truth, alignment)
    neighbours = np.flatnonzero(np.diff(index_truth) == 1)
    frame_pairs = np.stack([neighbours, neighbours + 1], axis=1)
    path_pairs = pairs_along_path(common_truth, rpe_path_length)
    path_length = truth.path_length
    ate = absolute_error(aligned, common_truth)
    straight = straight_line_error(truth)
    return TrajectoryErrors(
        alignment=alignment,
        ate=ate,
        ate_percent=_percent(ate, path_length),
        straight_line_ate=straight,
        straight_line_percent=_percent(straight, path_length),
        rpe_frame=relative_error(aligned, common_truth, frame_pairs),
        rpe_path=relative_error(aligned, common_truth, path_pairs),
        rpe_path_length=rpe_path_length,
        path_length=path_length,
        scale=scale,
        coverage=len(index_truth) / len(truth.stamps_ns),
    )


def associate(
    stamps_ns: NDArray[np.int64], truth_ns: NDArray[np.int64], tolerance_ns: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Indices of estimated and true poses that belong together, each used once at most, both rising.

    A pair consists of each other's nearest stamps, at most tolerance_ns apart.
    """
    if len(stamps_ns) == 0 or len(truth_ns) == 0:
        return np.zeros(0, np.intp), np.zeros(0, np.intp)
    to_truth, to_estimate = _nearest(stamps_ns, truth_ns), _nearest(truth_ns, stamps_ns)
    index = np.arange(len(stamps_ns))
    mutual = to_estimate[to_truth] == index
    close = np.abs(truth_ns[to_truth] - stamps_ns) <= tolerance_ns
    return index[mutual & close], to_truth[mutual & close]


def align(estimate: Trajectory, truth: Trajectory, alignment: Alignment) -> tuple[Trajectory, float]:
    """The estimate moved onto the truth (Umeyama 1991, on camera centres) and the factor applied.

    Raises TrajectoryError where the centres leave the alignment open, and where evo is not installed.
    """
    if alignment is Alignment.NONE:
        return estimate, 1.0
    evo = _evo()
    moved = _evo_path(estimate)
    try:
        _, _, scale = moved.align(_evo_path(truth), correct_scale=alignment is Alignment.SIM3)
    except evo.GeometryException as error:
        raise TrajectoryError(
            "the camera centres lie on a line or stand still, so that no alignment is determined; "
            "compare without alignment"
        ) from error
    return Trajectory(estimate.stamps_ns, np.array(moved.poses_se3)), float(scale)


def absolute_error(estimate: Trajectory, truth: Trajectory) -> float:
    """Root mean square distance of camera centres, metres."""
    evo = _evo()
    metric = evo.APE(evo.PoseRelation.translation_part)
    metric.process_data((_evo_path(truth), _evo_path(estimate)))
    return float(metric.get_statistic(evo.StatisticsType.rmse))


def relative_error(estimate: Trajectory, truth: Trajectory, pairs: NDArray[np.intp]) -> RelativeError:
    """Root mean square relative pose error over pairs [M, 2] of pose indices (Sturm et al. 2012, eq. 1)."""
    if len(pairs) == 0:
        return RelativeError(math.nan, math.nan, 0)
    evo = _evo()
    Q, P = truth.T_world_camera, estimate.T_world_camera
    errors = [evo.RPE.rpe_base(Q[i], Q[j], P[i], P[j]) for i, j in pairs]
    translations = [float(np.linalg.norm(E[:3, 3])) for E in errors]
    angles_deg = [math.degrees(evo.so3_log_angle(E[:3, :3])) for E in errors]
    return RelativeError(
        math.sqrt(np.mean(np.square(translations))), math.sqrt(np.mean(np.square(angles_deg))), len(pairs)
    )


def pairs_along_path(truth: Trajectory, length: float) -> NDArray[np.intp]:
    """For each pose the first one that is `length` metres of path later, within 10 %: indices [M, 2]."""
    steps = np.linalg.norm(np.diff(truth.positions, axis=0), axis=1)
    travelled = np.concatenate([[0.0], np.cumsum(steps)])
    later = np.searchsorted(travelled, travelled + length * (1 - 1e-9))
    start = np.flatnonzero(later < len(travelled))
    pairs = np.stack([start, later[start]], axis=1)
    return pairs[travelled[pairs[:, 1]] - travelled[pairs[:, 0]] <= 1.1 * length]


def straight_line_error(truth: Trajectory) -> float:
    """Root mean square distance of the true camera centres from the best motion of constant velocity, metres."""
    t = (truth.stamps_ns - truth.stamps_ns[0]).astype(np.float64)
    basis = np.stack([np.ones(len(t)), t / max(t[-1], 1.0)], axis=1)
    fit, *_ = np.linalg.lstsq(basis, truth.positions, rcond=None)
    return math.sqrt(np.mean(np.sum((basis @ fit - truth.positions) ** 2, axis=1)))


def _percent(error: float, path_length: float) -> float:
    return 100 * error / path_length if path_length > 0 else math.nan


def _nearest(stamps: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.intp]:
    """For each stamp the index of the nearest of the rising others, the earlier one of two equally near."""
    after = np.searchsorted(others, stamps).clip(0, len(others) - 1)
    before = (after - 1).clip(0)
    return np.where(np.abs(others[before] - stamps) <= np.abs(others[after] - stamps), before, after)


def _evo_path(trajectory: Trajectory) -> Any:
    return _evo().PosePath3D(poses_se3=list(trajectory.T_world_camera.copy()))


def _evo() -> SimpleNamespace:
    """What is used of evo, an optional dependency. Raises TrajectoryError where it is not installed."""
    try:
        from evo.core import geometry, lie_algebra, metrics, trajectory
    except ImportError as error:
        raise TrajectoryError(
            "trajectory metrics need evo, which is not installed: pip install endo_depth_ros[eval]"
        ) from error
    return SimpleNamespace(
        APE=metrics.APE,
        RPE=metrics.RPE,
        PoseRelation=metrics.PoseRelation,
        StatisticsType=metrics.StatisticsType,
        PosePath3D=trajectory.PosePath3D,
        GeometryException=geometry.GeometryException,
        so3_log_angle=lie_algebra.so3_log_angle,
    )
