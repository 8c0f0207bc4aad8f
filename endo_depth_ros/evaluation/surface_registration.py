"""Distance of a predicted point cloud from a CT surface after the best similarity: trimmed ICP, point to plane."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from endo_depth_ros.evaluation.depth_cloud import DepthCloud
from endo_depth_ros.evaluation.surface import Surface

MAX_NORMAL_ANGLE_DEG, MAX_MADS, MADS_TO_SIGMA, TUKEY = 45.0, 3.0, 1.4826, 4.685
COARSE_POINTS = 300
MIN_POINTS = 20


class RegistrationError(ValueError):
    """The cloud can't be registered; the text says why and what to do."""


@dataclass(frozen=True, eq=False)
class Similarity:
    """x → scale · R x + t. R: [3, 3]. t: [3], metres."""

    scale: float
    R: NDArray[np.float64]
    t: NDArray[np.float64]

    def apply(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Moved points [N, 3]."""
        return self.scale * points @ self.R.T + self.t


@dataclass(frozen=True)
class RegistrationOptions:
    """How the cloud may move.

    scale_range: factors on the initial scale; (0.5, 2) for relative depth, (0.8, 1.2) where metric depth is tested,
    (1, 1) where it is claimed. Without bounds a cloud that shrinks to a point lies on any surface. trim: share of the
    worst points that each step leaves out. tolerance_m: change of the root mean square at which it stops.
    """

    scale_range: tuple[float, float] = (0.5, 2.0)
    trim: float = 0.15
    tolerance_m: float = 1e-7
    max_steps: int = 100


@dataclass(frozen=True, eq=False)
class Registration:
    """The best similarity found and what it leaves.

    mean_m, p95_m: distance of all points of the cloud from the surface, metres. inlier_mean_m: of those that the last
    step used; inliers: their share. scale_change: scale over the initial one; 1 where depth was metric.
    """

    similarity: Similarity
    mean_m: float
    p95_m: float
    inlier_mean_m: float
    inliers: float
    scale_change: float


def register(
    cloud: DepthCloud, surface: Surface, initial: Similarity, options: RegistrationOptions | None = None
) -> Registration:
    """Move a cloud onto a surface, from the initial similarity and from starts around it; the best is refined.

    Follows Liu et al. 2018 (residual after a similarity registration to CT), with trimmed ICP, normals within 45
    degrees, 3 MADs and Tukey weights for their G-IMLOP. Starts: ±10 mm, ±15 degrees, scale × {0.8, 1, 1.25} within
    scale_range. Raises RegistrationError for fewer than 20 points and where no point finds a partner.
    """
    options = options or RegistrationOptions()
    if len(cloud.points) < MIN_POINTS:
        raise RegistrationError(
            f"the cloud has {len(cloud.points)} points, at least {MIN_POINTS} are needed; check the mask of its depth"
        )
    coarse = _thin(cloud, COARSE_POINTS)
    bounds = (options.scale_range[0] * initial.scale, options.scale_range[1] * initial.scale)
    hasty = replace(options, tolerance_m=1e-5, max_steps=15)
    starts = [start for start in _starts(initial, cloud) if bounds[0] <= start.scale <= bounds[1]]
    found = [_icp(coarse, surface, surface.nearest_centre, start, bounds, hasty) for start in starts]
    usable = [similarity for similarity in found if similarity is not None]
    if not usable:
        raise RegistrationError("no point of the cloud finds a partner on the surface; give a closer initial position")
    best = min(usable, key=lambda similarity: _spread(coarse, surface, similarity, options.trim))
    refined = _icp(cloud, surface, surface.nearest, best, bounds, options) or best
    return _summary(cloud, surface, refined, initial, options)


def target_errors(
    similarity: Similarity, landmarks: NDArray[np.float64], targets: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Distances [N] of landmarks of the cloud [N, 3], held out of the registration, from their targets, metres."""
    return np.asarray(np.linalg.norm(similarity.apply(landmarks) - targets, axis=1), np.float64)


def fit_similarity(points: NDArray[np.float64], targets: NDArray[np.float64]) -> Similarity:
    """The similarity that brings points [N, 3] onto their targets (Umeyama 1991): an initial one from landmarks.

    Raises RegistrationError for fewer than three pairs or points on a line.
    """
    if len(points) != len(targets) or len(points) < 3:
        raise RegistrationError(f"{len(points)} points and {len(targets)} targets; give at least 3 pairs")
    middle_p, middle_t = points.mean(axis=0), targets.mean(axis=0)
    centred = points - middle_p
    U, spread, Vt = np.linalg.svd((targets - middle_t).T @ centred / len(points))
    if spread[1] < 1e-9 * max(spread[0], 1e-30):
        raise RegistrationError("the points lie on a line, which leaves a turn about it open; add one beside it")
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(U) * np.linalg.det(Vt))])
    R = U * sign @ Vt
    scale = float(spread @ sign / np.mean(np.sum(centred**2, axis=1)))
    return Similarity(scale, R, middle_t - scale * R @ middle_p)


def _starts(initial: Similarity, cloud: DepthCloud) -> list[Similarity]:
    """The initial similarity and others around it, turned and scaled about the cloud's centre."""
    centre = initial.apply(cloud.points.mean(axis=0, keepdims=True))[0]
    axes = [sign * axis for axis in np.eye(3) for sign in (-1, 1)]
    turns = [np.eye(3), *(Rotation.from_rotvec(math.radians(15) * axis).as_matrix() for axis in axes)]
    shifts = [np.zeros(3), *(0.01 * axis for axis in axes)]
    moves = [(turn, shifts[0]) for turn in turns] + [(turns[0], shift) for shift in shifts[1:]]
    starts = []
    for factor in (1.0, 0.8, 1.25):
        for turn, shift in moves:
            t = centre + shift + factor * turn @ (initial.t - centre)
            starts.append(Similarity(factor * initial.scale, turn @ initial.R, t))
    return starts


def _icp(
    cloud: DepthCloud,
    surface: Surface,
    nearest_on: Callable[[NDArray[np.float64]], tuple[NDArray[np.float64], NDArray[np.intp]]],
    start: Similarity,
    bounds: tuple[float, float],
    options: RegistrationOptions,
) -> Similarity | None:
    """Point-to-plane steps from `start` until the error settles; None where no partners are left."""
    similarity, previous = start, math.inf
    for _ in range(options.max_steps):
        moved = similarity.apply(cloud.points)
        nearest, triangle = nearest_on(moved)
        normals = surface.normals[triangle]
        residual = np.sum((moved - nearest) * normals, axis=1)
        distance = np.linalg.norm(moved - nearest, axis=1)
        used = _partners(distance, cloud.normals @ similarity.R.T, normals, options.trim)
        if used.sum() < MIN_POINTS:
            return None
        rms = math.sqrt(np.mean(residual[used] ** 2))
        if abs(previous - rms) < options.tolerance_m:
            break
        previous = rms
        similarity = _step(moved[used], normals[used], residual[used], similarity, bounds)
    return similarity


def _partners(
    distance: NDArray[np.float64], turned: NDArray[np.float64], normals: NDArray[np.float64], trim: float
) -> NDArray[np.bool_]:
    """Points whose distance is usual and whose normal agrees, bool [N]; a surface may be wound either way."""
    agree = np.abs(np.sum(turned * normals, axis=1)) >= math.cos(math.radians(MAX_NORMAL_ANGLE_DEG))
    if not agree.any():
        return agree
    middle = np.median(distance[agree])
    spread = MADS_TO_SIGMA * np.median(np.abs(distance[agree] - middle))
    usual = distance <= max(middle + MAX_MADS * spread, np.finfo(float).tiny)
    return agree & usual & (distance <= np.quantile(distance[agree], 1 - trim))


def _step(
    moved: NDArray[np.float64],
    normals: NDArray[np.float64],
    residual: NDArray[np.float64],
    similarity: Similarity,
    bounds: tuple[float, float],
) -> Similarity:
    """One Gauss-Newton step on rotation, translation and log scale, with Tukey weights, about the points' centre."""
    centre = moved.mean(axis=0)
    arms = moved - centre
    columns = [np.cross(arms, normals), normals, np.sum(arms * normals, axis=1, keepdims=True)]
    size = max(float(np.sqrt(np.mean(np.sum(arms**2, axis=1)))), 1e-12)
    # In units of the cloud's size rotation, translation and scale weigh alike.
    jacobian = np.hstack([columns[0], columns[1] * size, columns[2]])
    free_scale = bounds[0] < bounds[1]
    if not free_scale:
        jacobian = jacobian[:, :6]
    weight = np.sqrt(_tukey(residual))
    solution = np.linalg.lstsq(jacobian * weight[:, None], -residual * weight, rcond=1e-6)[0]
    factor = math.exp(solution[6]) if free_scale else 1.0
    scale = min(max(similarity.scale * factor, bounds[0]), bounds[1])
    factor = scale / similarity.scale
    turn = Rotation.from_rotvec(solution[:3]).as_matrix()
    t = centre + size * solution[3:6] + factor * turn @ (similarity.t - centre)
    return Similarity(scale, turn @ similarity.R, t)


def _tukey(residual: NDArray[np.float64]) -> NDArray[np.float64]:
    """Biweights [N] (Beaton and Tukey 1974); 1 where all residuals are alike."""
    spread = MADS_TO_SIGMA * float(np.median(np.abs(residual - np.median(residual))))
    if spread == 0:
        return np.ones_like(residual)
    return np.maximum(1 - (residual / (TUKEY * spread)) ** 2, 0) ** 2


def _spread(cloud: DepthCloud, surface: Surface, similarity: Similarity, trim: float) -> float:
    """Trimmed mean distance over the scale, so that shrinking alone is no gain."""
    distance = np.sort(_distances(cloud, surface, similarity))
    return float(np.mean(distance[: max(int(len(distance) * (1 - trim)), 1)])) / similarity.scale


def _summary(
    cloud: DepthCloud, surface: Surface, similarity: Similarity, initial: Similarity, options: RegistrationOptions
) -> Registration:
    moved = similarity.apply(cloud.points)
    nearest, triangle = surface.nearest(moved)
    distance = np.linalg.norm(moved - nearest, axis=1)
    used = _partners(distance, cloud.normals @ similarity.R.T, surface.normals[triangle], options.trim)
    return Registration(
        similarity=similarity,
        mean_m=float(np.mean(distance)),
        p95_m=float(np.quantile(distance, 0.95)),
        inlier_mean_m=float(np.mean(distance[used])) if used.any() else math.nan,
        inliers=float(used.mean()),
        scale_change=similarity.scale / initial.scale,
    )


def _distances(cloud: DepthCloud, surface: Surface, similarity: Similarity) -> NDArray[np.float64]:
    moved = similarity.apply(cloud.points)
    return np.asarray(np.linalg.norm(moved - surface.nearest(moved)[0], axis=1), np.float64)


def _thin(cloud: DepthCloud, count: int) -> DepthCloud:
    chosen = np.linspace(0, len(cloud.points) - 1, min(count, len(cloud.points))).round().astype(int)
    return DepthCloud(cloud.points[chosen], cloud.normals[chosen])
