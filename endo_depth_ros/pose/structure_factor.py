"""The landmarks of keyframes as one factor between all keyframes that brought or see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from endo_depth_ros.pose import flow_error
from endo_depth_ros.pose.correlated_errors import accumulating, persistent, sequences_of, whitening
from endo_depth_ros.pose.depth_field import TERMS
from endo_depth_ros.pose.graph_library import gtsam
from endo_depth_ros.pose.keyframe import Keyframe
from endo_depth_ros.pose.lie import Array, skew
from endo_depth_ros.pose.robust import huber_weights, robust_residuals
from endo_depth_ros.pose.settings import PoseSettings

# Gauss-Newton rounds on the landmarks' depths at each evaluation; they start from where the last one ended.
DEPTH_ROUNDS = 1
MAX_DEPTH_STEP = 0.5
# Of what is known of a column before landmarks are taken out: far above rounding, far below anything that is known.
RIDGE = 1e-10
UNKNOWNS = 6 + TERMS  # of a keyframe: a twist, and the field of its depth


def pose_key(number: int) -> int:
    """Of the pose of a keyframe: map from camera."""
    return int(gtsam.symbol("x", number))


def field_key(number: int) -> int:
    """Of the coefficients of the field of a keyframe's depth."""
    return int(gtsam.symbol("f", number))


class StructureFactor:
    """All that ties keyframes together by the landmarks that some of them, the anchors, brought.

    A landmark has one unknown, the logarithm of its depth in its anchor. Its residuals are the reprojection in each
    observer, the difference from each observer's depth and from the anchor's, given the depth images' fields. The
    unknown is eliminated: for given poses it is solved for, and the normal equations are left without what it can
    explain (variable projection, Golub and Pereyra 1973), so that the graph has poses and fields only. One factor for
    all, since each call costs more than the arithmetic on what one anchor brought.
    """

    def __init__(self, keyframes: Sequence[Keyframe], anchors: Sequence[Keyframe], settings: PoseSettings) -> None:
        """keyframes: of one camera, in order. anchors: of them. Landmarks that no other one sees stay out of it."""
        self._settings, self._keyframes = settings, keyframes
        self._gather({anchor.number for anchor in anchors})
        self.keys = [key for each in keyframes for key in (pose_key(each.number), field_key(each.number))]
        # Whose the residuals are, see _linearise: of pixels, of depth.
        self._owners = np.repeat(self._landmark, 2), np.concatenate([self._landmark, np.arange(len(self._seen))])
        if len(self._seen):
            self._K = keyframes[0].K
            self._whiten = self._pixel_whitening(), self._depth_whitening()

    def _gather(self, anchors: set[int]) -> None:
        """The landmarks that are seen, numbered through all anchors, and who sees them where, observer by observer."""
        numbers = np.array([each.number for each in self._keyframes])
        counts = np.array([len(each.landmarks.rays) if each.number in anchors else 0 for each in self._keyframes])
        starts = np.cumsum(counts) - counts
        sightings = [each.sightings for each in self._keyframes]
        chosen = [np.isin(each.anchor, list(anchors)) for each in sightings]
        landmark = [
            starts[np.searchsorted(numbers, each.anchor[which])] + each.index[which]
            for each, which in zip(sightings, chosen, strict=True)
        ]
        lengths = np.array([len(each) for each in landmark])
        self._seen, self._landmark = np.unique(np.concatenate(landmark), return_inverse=True)
        self._observer = np.repeat(np.arange(len(numbers)), lengths)
        self._anchor = np.searchsorted(np.cumsum(counts), self._seen, side="right")
        self._index = self._seen - starts[self._anchor]

        def of_sightings(name: str) -> Array:
            return np.concatenate([getattr(e, name)[which] for e, which in zip(sightings, chosen, strict=True)])

        self._pixels, self._covariance = of_sightings("pixels"), of_sightings("covariance")
        self._basis = of_sightings("basis")
        log_depth, self._log_sigma = of_sightings("log_depth"), of_sightings("log_sigma")
        self._has_depth, self._log_depth = np.isfinite(log_depth), np.nan_to_num(log_depth)
        self._rays, self._anchor_basis = self._of_landmarks("rays"), self._of_landmarks("basis")
        self._anchor_log, self._anchor_sigma = self._of_landmarks("measured_log"), self._of_landmarks("measured_sigma")
        self.log_depth, self.log_sigma = self._of_landmarks("log_depth"), self._of_landmarks("log_sigma")

    def _of_landmarks(self, name: str) -> Array:
        """One field of Landmarks for those that are seen, which are sorted by anchor, [L, ...]."""
        per_anchor = [
            getattr(each.landmarks, name)[self._index[self._anchor == slot]]
            for slot, each in enumerate(self._keyframes)
        ]
        return np.concatenate(per_anchor)

    def _pixel_whitening(self) -> scipy.sparse.csr_array:
        """[2 M, 2 M]: makes errors of pixels independent, with variance 1.

        A point is followed from keyframe to keyframe, so that its errors add up; what is new with each sighting has a
        covariance of its own.
        """
        sighting = np.arange(len(self._landmark))
        points = sequences_of(self._landmark, sighting, len(self._seen))
        x, y = (np.where(points >= 0, 2 * points + axis, -1) for axis in (0, 1))
        walk = whitening(np.vstack([x, y]), accumulating(points.shape[1]), 2 * len(sighting))
        W = flow_error.whitening(self._covariance)
        row = 2 * sighting[:, None, None] + np.arange(2)[:, None]
        column = 2 * sighting[:, None, None] + np.arange(2)
        entries = (W.ravel(), (np.broadcast_to(row, W.shape).ravel(), np.broadcast_to(column, W.shape).ravel()))
        return scipy.sparse.csr_array(scipy.sparse.csr_array(entries, shape=walk.shape) @ walk)

    def _depth_whitening(self) -> scipy.sparse.csr_array:
        """[M + L, M + L]: the same for errors of depth.

        A surface that is estimated too near once is so again and again: some of the error of its depth is the same in
        all keyframes, the anchor among them.
        """
        M, L = len(self._landmark), len(self._seen)
        known = np.flatnonzero(self._has_depth)
        owners = np.concatenate([np.arange(L), self._landmark[known]])
        depths = sequences_of(owners, np.concatenate([M + np.arange(L), known]), L)
        stay = persistent(depths.shape[1], self._settings.depth_persistence)
        whiten = whitening(depths, stay, M + L)
        whiten.data *= (1 / np.concatenate([self._log_sigma, self._anchor_sigma]))[whiten.indices]
        return whiten

    def factor(self) -> gtsam.CustomFactor | None:
        """For a gtsam graph; None when no keyframe sees anything of the anchors'."""
        if len(self._seen) == 0:
            return None
        rows = UNKNOWNS * len(self._keyframes) + 1
        noise = gtsam.noiseModel.Isotropic.Sigma(rows, self._settings.shared_error)
        return gtsam.CustomFactor(noise, self.keys, self._evaluate)

    def write_back(self) -> None:
        """Give the landmarks the depths of the last evaluation."""
        for slot, keyframe in enumerate(self._keyframes):
            mine = self._anchor == slot
            keyframe.landmarks.log_depth[self._index[mine]] = self.log_depth[mine]
            keyframe.landmarks.log_sigma[self._index[mine]] = self.log_sigma[mine]

    def _evaluate(self, _: gtsam.CustomFactor, values: gtsam.Values, jacobians: list[Array] | None) -> Array:
        """As many rows as a square root of the normal equations has: one of the unknowns each, one of the error."""
        poses = np.stack([values.atPose3(key).matrix() for key in self.keys[::2]])
        fields = np.array([values.atVector(key) for key in self.keys[1::2]])
        self._solve_depths(poses, fields)
        rows = self._linearise(poses, fields, with_poses=jacobians is not None)
        w = huber_weights(rows.errors)
        if jacobians is None:
            return np.append(np.zeros(UNKNOWNS * len(poses)), np.linalg.norm(robust_residuals(rows.errors)))
        root = rows.weighted(np.sqrt(w)).square_root(len(self._seen))
        of_poses, error, of_fields = np.split(root, [6 * len(poses), 6 * len(poses) + 1], axis=1)
        for slot in range(len(poses)):
            jacobians[2 * slot] = np.asfortranarray(of_poses[:, 6 * slot : 6 * slot + 6])
            jacobians[2 * slot + 1] = np.asfortranarray(of_fields[:, TERMS * slot : TERMS * slot + TERMS])
        return error[:, 0]

    def _solve_depths(self, poses: Array, fields: Array) -> None:
        """The landmarks' depths that fit the poses and fields best."""
        for _ in range(DEPTH_ROUNDS):
            rows = self._linearise(poses, fields, with_poses=False)
            w, r, by_depth = huber_weights(rows.errors), rows.errors, rows.by_depth
            gradient, curvature = self._sum(w * by_depth * r), self._sum(w * by_depth * by_depth)
            self.log_depth += np.clip(-gradient / curvature, -MAX_DEPTH_STEP, MAX_DEPTH_STEP)
        self.log_sigma = 1 / np.sqrt(curvature)

    def _linearise(self, poses: Array, fields: Array, with_poses: bool) -> _Rows:
        """Residuals, their derivatives by each one's landmark and, where wanted, by poses and fields [V, TERMS]."""
        M, to, of = len(self._landmark), self._observer, self._anchor[self._landmark]
        turns, places = poses[:, :3, :3], poses[:, :3, 3]
        R = np.einsum("oji,ajk->oaik", turns, turns)[to, of]
        t = np.einsum("oji,oaj->oai", turns, places[None] - places[:, None])[to, of]
        points = (self._rays * np.exp(self.log_depth)[:, None])[self._landmark]
        turned = np.einsum("nij,nj->ni", R, points)
        error, by_point = self._observe(turned + t, np.sum(self._basis * fields[to], axis=1))
        along_ray = np.einsum("nij,nj->ni", by_point, turned)
        of_anchor = np.sum(self._anchor_basis * fields[self._anchor], axis=1)
        last = 6 * len(poses) if with_poses else 0
        pixels = np.zeros((2 * M, last + 1))
        depths = np.zeros((M + len(self._seen), last + 1 + (fields.size if with_poses else 0)))
        pixels[:, last] = error[:, :2].ravel()
        depths[:M, last], depths[M:, last] = error[:, 2], self.log_depth - self._anchor_log - of_anchor
        if with_poses:
            self._fill(pixels, depths, by_point, R, points, turned + t)
        of_pixels, of_depths = self._whiten
        by_depth = (
            of_pixels @ along_ray[:, :2].ravel(),
            of_depths @ np.concatenate([along_ray[:, 2], np.ones(len(self._seen))]),
        )
        return _Rows(of_pixels @ pixels, of_depths @ depths, last, np.concatenate(by_depth), self._owners)

    def _fill(self, pixels: Array, depths: Array, by_point: Array, R: Array, points: Array, seen: Array) -> None:
        """Derivatives of sightings from those by the points, in the anchor and as seen [M, 3]."""
        M, V, at = len(points), len(self._keyframes), np.arange(len(points))
        of = self._anchor[self._landmark]
        by_anchor = by_point @ R
        of_anchor = np.concatenate([by_anchor @ -skew(points), by_anchor], axis=2)
        of_observer = np.concatenate([by_point @ skew(seen), -by_point], axis=2)
        # Of the same memory.
        pixels_by_poses = pixels[:, : 6 * V].reshape(M, 2, V, 6)
        depths_by_poses = depths[:M, : 6 * V].reshape(M, V, 6)
        depths_by_fields = depths[:, 6 * V + 1 :].reshape(M + len(self._seen), V, TERMS)
        pixels_by_poses[at, :, of], depths_by_poses[at, of] = of_anchor[:, :2], of_anchor[:, 2]
        pixels_by_poses[at, :, self._observer], depths_by_poses[at, self._observer] = (
            of_observer[:, :2],
            of_observer[:, 2],
        )
        depths_by_fields[at, self._observer] = -self._basis
        depths_by_fields[M + np.arange(len(self._seen)), self._anchor] = -self._anchor_basis

    def _observe(self, points: Array, log_factors: Array) -> tuple[Array, Array]:
        """Errors [M, 3] (x, y in pixels, log-depth) of points [M, 3] in their observers, and by points [M, 3, 3]."""
        K, z = self._K, np.maximum(points[:, 2], 1e-6)
        error = np.empty((len(points), 3))
        error[:, :2] = points[:, :2] / z[:, None] @ K[:2, :2].T + K[:2, 2] - self._pixels
        error[:, 2] = np.log(z) - self._log_depth - log_factors
        by_point = np.zeros((len(points), 3, 3))
        by_point[:, :2, :2] = K[:2, :2] / z[:, None, None]
        by_point[:, :2, 2] = -(points[:, :2] @ K[:2, :2].T) / (z * z)[:, None]
        by_point[:, 2, 2] = 1 / z
        return error, by_point

    def _sum(self, values: Array) -> Array:
        """Sums [L] over the residuals of each landmark, pixels first."""
        return np.asarray(np.bincount(np.concatenate(self._owners), values, len(self._seen)), np.float64)


@dataclass(frozen=True)
class _Rows:
    """Residuals in standard deviations and their derivatives: first those of pixels, which know no depth's field.

    pixels: [2 M, last + 1], x and y of each sighting. depths: [M + L, last + 1 + TERMS V], depth of each sighting, then
    of each landmark in its anchor. Columns: derivatives by poses (6 V = last), the residuals, derivatives by fields;
    only the residuals where no derivatives were wanted. by_depth: [3 M + L], derivatives by each one's landmark.
    owners: whose landmark's the rows are, of pixels and of depths.
    """

    pixels: Array
    depths: Array
    last: int
    by_depth: Array
    owners: tuple[NDArray[np.int64], NDArray[np.int64]]

    @property
    def errors(self) -> Array:
        """The residuals [3 M + L]."""
        return np.concatenate([self.pixels[:, self.last], self.depths[:, self.last]])

    def weighted(self, w: Array) -> _Rows:
        """The rows times w [3 M + L]."""
        of_pixels, of_depths = w[: len(self.pixels), None], w[len(self.pixels) :, None]
        return replace(self, pixels=of_pixels * self.pixels, depths=of_depths * self.depths, by_depth=w * self.by_depth)

    def square_root(self, landmarks: int) -> Array:
        """Rows [n, n] whose normal equations lack what a change of the landmarks' depths explains.

        (Schur complement.)
        """
        ahead, (of_pixels, of_depths) = self.pixels.shape[1], self.owners
        information = self.depths.T @ self.depths
        information[:ahead, :ahead] += self.pixels.T @ self.pixels
        # Radians, metres and logarithms differ by orders of magnitude.
        units = np.sqrt(np.diag(information))
        shared = _sums_of(of_depths, self.by_depth[len(self.pixels) :], self.depths, landmarks)
        shared[:, :ahead] += _sums_of(of_pixels, self.by_depth[: len(self.pixels)], self.pixels, landmarks)
        curvature = np.bincount(np.concatenate(self.owners), self.by_depth**2, landmarks)
        return square_root(information - shared.T @ (shared / curvature[:, None]), units)


def _sums_of(owners: NDArray[np.int64], weights: Array, rows: Array, count: int) -> Array:
    """Sums [count, n] of the rows [N, n] of each owner, weighted."""
    which = scipy.sparse.csr_array((weights, (owners, np.arange(len(owners)))), shape=(count, len(owners)))
    return np.asarray(which @ rows, np.float64)


def square_root(information: Array, units: Array) -> Array:
    """Rows [n, n] with rowsᵀ rows = information, which may be singular: all keyframes together may be anywhere.

    units: [n], what columns are measured in: square roots of the diagonal before the landmarks were taken out, as
    rounding would count where nothing is left of it. RIDGE of that is added, or there were no triangular root.
    """
    units = np.where(units > 0, units, 1.0)
    scaled = information / np.outer(units, units) + RIDGE * np.eye(len(units))
    return np.asarray(np.linalg.cholesky(scaled).T * units, np.float64)
