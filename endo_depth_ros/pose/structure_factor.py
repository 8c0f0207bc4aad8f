"""The landmarks of keyframes as one factor between all keyframes that brought or see them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.sparse

from endo_depth_ros.pose import flow_error
from endo_depth_ros.pose.correlated_errors import accumulating, persistent, sequences_of, whitening
from endo_depth_ros.pose.graph_library import gtsam
from endo_depth_ros.pose.keyframe import Keyframe
from endo_depth_ros.pose.lie import Array, skew
from endo_depth_ros.pose.robust import huber_weights, robust_residuals
from endo_depth_ros.pose.settings import PoseSettings

# Gauss-Newton rounds on the landmarks' depths at each evaluation; they start from where the last one ended.
DEPTH_ROUNDS = 1
MAX_DEPTH_STEP = 0.5
UNKNOWNS = 7  # of a keyframe: a twist, and the logarithm of the scale of its depth


def pose_key(number: int) -> int:
    """Of the pose of a keyframe: map from camera."""
    return int(gtsam.symbol("x", number))


def scale_key(number: int) -> int:
    """Of the logarithm of the scale of a keyframe's depth."""
    return int(gtsam.symbol("s", number))


class StructureFactor:
    """All that ties keyframes together by the landmarks that some of them, the anchors, brought.

    A landmark has one unknown, the logarithm of its depth in its anchor. Its residuals are the reprojection in each
    observer, the difference from each observer's depth and from the anchor's, given the depth images' scales. The
    unknown is eliminated: for given poses it is solved for, and the normal equations are left without what it can
    explain (variable projection, Golub and Pereyra 1973), so that the graph has poses and scales only. One factor for
    all, since each call costs more than the arithmetic on what one anchor brought.
    """

    def __init__(self, keyframes: Sequence[Keyframe], anchors: Sequence[Keyframe], settings: PoseSettings) -> None:
        """keyframes: of one camera, in order. anchors: of them. Landmarks that no other one sees stay out of it."""
        self._settings, self._keyframes = settings, keyframes
        self._gather({anchor.number for anchor in anchors})
        self.keys = [key for each in keyframes for key in (pose_key(each.number), scale_key(each.number))]
        # Of the residuals, see _linearise.
        self._owner = np.concatenate([np.repeat(self._landmark, 3), np.arange(len(self._seen))])
        self._by_owner = np.argsort(self._owner, kind="stable")
        self._owner_starts = np.searchsorted(self._owner[self._by_owner], np.arange(len(self._seen) + 1))
        self._size = len(self._owner)
        if len(self._seen):
            self._K = keyframes[0].K
            self._whiten = self._whitening()

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
        log_depth, self._log_sigma = of_sightings("log_depth"), of_sightings("log_sigma")
        self._has_depth, self._log_depth = np.isfinite(log_depth), np.nan_to_num(log_depth)
        self._rays = self._of_landmarks("rays")
        self._anchor_log, self._anchor_sigma = self._of_landmarks("measured_log"), self._of_landmarks("measured_sigma")
        self.log_depth, self.log_sigma = self._of_landmarks("log_depth"), self._of_landmarks("log_sigma")

    def _of_landmarks(self, name: str) -> Array:
        """One field of Landmarks for those that are seen, which are sorted by anchor, [L, ...]."""
        per_anchor = [
            getattr(each.landmarks, name)[self._index[self._anchor == slot]]
            for slot, each in enumerate(self._keyframes)
        ]
        return np.concatenate(per_anchor)

    def _whitening(self) -> scipy.sparse.csr_array:
        """[size, size]: makes the residuals of _linearise independent, with variance 1.

        A point is followed from keyframe to keyframe, so that its errors add up. A surface that is estimated too near
        once is so again and again: some of the error of its depth is the same in all keyframes, the anchor among them.
        """
        M, L = len(self._landmark), len(self._seen)
        sighting = np.arange(M)
        points = sequences_of(self._landmark, sighting, L)
        walk = accumulating(points.shape[1])
        x, y = (np.where(points >= 0, 3 * points + axis, -1) for axis in (0, 1))
        known = sighting[self._has_depth]
        owners = np.concatenate([np.arange(L), self._landmark[known]])
        depths = sequences_of(owners, np.concatenate([3 * M + np.arange(L), 3 * known + 2]), L)
        stay = persistent(depths.shape[1], self._settings.depth_persistence)
        scale = np.zeros(self._size)
        scale[2 : 3 * M : 3], scale[3 * M :] = 1 / self._log_sigma, 1 / self._anchor_sigma
        depth = whitening(depths, stay, self._size)
        depth.data *= scale[depth.indices]
        # What is new with each sighting has a covariance of its own.
        W = flow_error.whitening(self._covariance)
        row = 3 * sighting[:, None, None] + np.arange(2)[:, None]
        column = 3 * sighting[:, None, None] + np.arange(2)
        entries = (W.ravel(), (np.broadcast_to(row, W.shape).ravel(), np.broadcast_to(column, W.shape).ravel()))
        news = scipy.sparse.csr_array(entries, shape=(self._size, self._size))
        return scipy.sparse.csr_array(news @ whitening(np.vstack([x, y]), walk, self._size) + depth)

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
        scales = np.array([float(values.atVector(key)[0]) for key in self.keys[1::2]])
        self._solve_depths(poses, scales)
        rows, by_depth = self._linearise(poses, scales, with_poses=jacobians is not None)
        if jacobians is None:
            return np.append(np.zeros(UNKNOWNS * len(poses)), np.linalg.norm(robust_residuals(rows)))
        w = np.sqrt(huber_weights(rows[:, -1]))
        rows *= w[:, None]
        # Radians, metres and logarithms differ by orders of magnitude.
        units = np.linalg.norm(rows, axis=0)
        root = square_root(self._normal_equations(w * by_depth, rows), units)
        for slot in range(len(poses)):
            start = UNKNOWNS * slot
            jacobians[2 * slot] = np.asfortranarray(root[:, start : start + 6])
            jacobians[2 * slot + 1] = np.asfortranarray(root[:, start + 6 : start + 7])
        return root[:, -1]

    def _solve_depths(self, poses: Array, scales: Array) -> None:
        """The landmarks' depths that fit the poses and scales best."""
        for _ in range(DEPTH_ROUNDS):
            rows, by_depth = self._linearise(poses, scales, with_poses=False)
            r = rows[:, 0]
            w = huber_weights(r)
            gradient, curvature = self._sum(w * by_depth * r), self._sum(w * by_depth * by_depth)
            self.log_depth += np.clip(-gradient / curvature, -MAX_DEPTH_STEP, MAX_DEPTH_STEP)
        self.log_sigma = 1 / np.sqrt(curvature)

    def _linearise(self, poses: Array, scales: Array, with_poses: bool) -> tuple[Array, Array]:
        """[size, 7 V + 1]: derivatives by poses and scales, where wanted, then the residuals in standard deviations.

        And derivatives [size] by each one's landmark. Rows: x, y, depth of each sighting, then the depth of each
        landmark in its anchor.
        """
        M, to, of = len(self._landmark), self._observer, self._anchor[self._landmark]
        turns, places = poses[:, :3, :3], poses[:, :3, 3]
        R = np.einsum("oji,ajk->oaik", turns, turns)[to, of]
        t = np.einsum("oji,oaj->oai", turns, places[None] - places[:, None])[to, of]
        points = (self._rays * np.exp(self.log_depth)[:, None])[self._landmark]
        turned = np.einsum("nij,nj->ni", R, points)
        error, by_point = self._observe(turned + t, scales[to])
        along_ray = np.einsum("nij,nj->ni", by_point, turned).ravel()
        by_depth = self._whiten @ np.concatenate([along_ray, np.ones(len(self._seen))])
        rows = np.zeros((self._size, UNKNOWNS * len(poses) + 1 if with_poses else 1))
        rows[: 3 * M, -1], rows[3 * M :, -1] = error.ravel(), self.log_depth - self._anchor_log - scales[self._anchor]
        if with_poses:
            J = rows[: 3 * M, :-1].reshape(M, 3, len(poses), UNKNOWNS)  # of the same memory
            self._fill(J, by_point, R, points, turned + t)
            rows[3 * M + np.arange(len(self._seen)), UNKNOWNS * self._anchor + 6] = -1
        return self._whiten @ rows, by_depth

    def _fill(self, J: Array, by_point: Array, R: Array, points: Array, seen: Array) -> None:
        """Derivatives of the sightings [M, 3, V, 7] from those by the points, in the anchor and as seen [M, 3]."""
        sighting = np.arange(len(points))
        by_anchor = by_point @ R
        J[sighting, :, self._anchor[self._landmark], :6] = np.concatenate(
            [by_anchor @ -skew(points), by_anchor], axis=2
        )
        J[sighting, :, self._observer, :6] = np.concatenate([by_point @ skew(seen), -by_point], axis=2)
        J[sighting, 2, self._observer, 6] = -1

    def _observe(self, points: Array, log_scales: Array) -> tuple[Array, Array]:
        """Errors [M, 3] (x, y in pixels, log-depth) of points [M, 3] in their observers, and by points [M, 3, 3]."""
        K, z = self._K, np.maximum(points[:, 2], 1e-6)
        error = np.empty((len(points), 3))
        error[:, :2] = points[:, :2] / z[:, None] @ K[:2, :2].T + K[:2, 2] - self._pixels
        error[:, 2] = np.log(z) - self._log_depth - log_scales
        by_point = np.zeros((len(points), 3, 3))
        by_point[:, :2, :2] = K[:2, :2] / z[:, None, None]
        by_point[:, :2, 2] = -(points[:, :2] @ K[:2, :2].T) / (z * z)[:, None]
        by_point[:, 2, 2] = 1 / z
        return error, by_point

    def _sum(self, values: Array) -> Array:
        """Sums [L] over the residuals [size] of each landmark."""
        return np.asarray(np.bincount(self._owner, values, len(self._seen)), np.float64)

    def _normal_equations(self, by_depth: Array, rows: Array) -> Array:
        """[n, n] of the rows [size, n], without what a change of the landmarks' depths explains (Schur complement)."""
        per_landmark = scipy.sparse.csr_array((by_depth[self._by_owner], self._by_owner, self._owner_starts))
        shared = per_landmark @ rows
        return rows.T @ rows - shared.T @ (shared / self._sum(by_depth * by_depth)[:, None])


def square_root(information: Array, units: Array) -> Array:
    """Rows [n, n] with rowsᵀ rows = information, which may be singular: all keyframes together may be anywhere.

    units: [n], what columns are measured in: square roots of the diagonal before the landmarks were taken out, as
    rounding would count where nothing is left of it.
    """
    units = np.where(units > 0, units, 1.0)
    values, vectors = np.linalg.eigh(information / np.outer(units, units))
    return np.asarray(np.sqrt(np.maximum(values, 0))[:, None] * vectors.T * units, np.float64)
