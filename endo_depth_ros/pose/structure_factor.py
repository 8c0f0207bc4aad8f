"""The landmarks of one keyframe as a factor between it and the keyframes that see them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from endo_depth_ros.pose import flow_error
from endo_depth_ros.pose.correlated_errors import accumulating, persistent, sequences_of, whitening
from endo_depth_ros.pose.graph_library import gtsam
from endo_depth_ros.pose.keyframe import Keyframe, Landmarks
from endo_depth_ros.pose.lie import Array, skew
from endo_depth_ros.pose.robust import huber_weights, robust_residuals
from endo_depth_ros.pose.settings import PoseSettings

# Gauss-Newton rounds on the landmarks' depths at each evaluation; they start from where the last one ended.
DEPTH_ROUNDS = 1
MAX_DEPTH_STEP = 0.5


def pose_key(number: int) -> int:
    """Of the pose of a keyframe: map from camera."""
    return int(gtsam.symbol("x", number))


def scale_key(number: int) -> int:
    """Of the logarithm of the scale of a keyframe's depth."""
    return int(gtsam.symbol("s", number))


@dataclass(frozen=True)
class _View:
    """One observer's share of the sightings: rows of the cluster's arrays."""

    number: int
    rows: slice


class StructureFactor:
    """All that ties keyframes together by the landmarks that one of them, the anchor, brought.

    A landmark has one unknown, the logarithm of its depth in the anchor. Its residuals are the reprojection in each
    observer, the difference from each observer's depth and from the anchor's, given the depth images' scales. The
    unknown is eliminated: for given poses it is solved for, and residuals and Jacobians are projected onto what it
    can't explain (variable projection, Golub and Pereyra 1973), so that the graph has poses and scales only.
    """

    def __init__(self, anchor: Keyframe, observers: list[Keyframe], settings: PoseSettings) -> None:
        """observers: later keyframes, in order. Landmarks that none of them sees stay out of it."""
        self.anchor, self.observers = anchor, observers
        self._settings, self._K = settings, anchor.K
        self._gather(anchor.landmarks)
        keys = [anchor.number, *(view.number for view in self._views)]
        self.keys = [key for number in keys for key in (pose_key(number), scale_key(number))]
        self.size = 3 * len(self._landmark) + len(self._seen)
        if len(self._seen):
            self._whiten = self._whitening()

    def _gather(self, landmarks: Landmarks) -> None:
        landmark: list[NDArray[np.int64]] = []
        pixels, covariance, log_depth, log_sigma = [], [], [], []
        self._views: list[_View] = []
        start = 0
        for observer in self.observers:
            mine = observer.sightings.anchor == self.anchor.number
            count = int(np.count_nonzero(mine))
            if count == 0:
                continue
            landmark.append(observer.sightings.index[mine])
            pixels.append(observer.sightings.pixels[mine])
            covariance.append(observer.sightings.covariance[mine])
            log_depth.append(observer.sightings.log_depth[mine])
            log_sigma.append(observer.sightings.log_sigma[mine])
            self._views.append(_View(observer.number, slice(start, start + count)))
            start += count
        if not landmark:
            self._seen = np.zeros(0, np.int64)
            self._landmark = self._seen
            return
        self._slot = np.repeat(np.arange(1, len(self._views) + 1), [len(each) for each in landmark])
        self._seen, self._landmark = np.unique(np.concatenate(landmark), return_inverse=True)
        self._pixels, self._log_depth = np.concatenate(pixels), np.concatenate(log_depth)
        self._covariance = np.concatenate(covariance)
        self._has_depth = np.isfinite(self._log_depth)
        self._log_depth, self._log_sigma = np.nan_to_num(self._log_depth), np.concatenate(log_sigma)
        self._rays = landmarks.rays[self._seen]
        self._anchor_log, self._anchor_sigma = landmarks.measured_log[self._seen], landmarks.measured_sigma[self._seen]
        self.log_depth = landmarks.log_depth[self._seen].copy()
        self.log_sigma = landmarks.log_sigma[self._seen].copy()

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
        scale = np.zeros(self.size)
        scale[2 : 3 * M : 3], scale[3 * M :] = 1 / self._log_sigma, 1 / self._anchor_sigma
        depth = whitening(depths, stay, self.size)
        depth.data *= scale[depth.indices]
        # What is new with each sighting has a covariance of its own.
        W = flow_error.whitening(self._covariance)
        row = 3 * sighting[:, None, None] + np.arange(2)[:, None]
        column = 3 * sighting[:, None, None] + np.arange(2)
        entries = (W.ravel(), (np.broadcast_to(row, W.shape).ravel(), np.broadcast_to(column, W.shape).ravel()))
        news = scipy.sparse.csr_array(entries, shape=(self.size, self.size))
        return scipy.sparse.csr_array(news @ whitening(np.vstack([x, y]), walk, self.size) + depth)

    def factor(self) -> gtsam.CustomFactor | None:
        """For a gtsam graph; None when no observer sees anything of the anchor's."""
        if len(self._seen) == 0:
            return None
        return gtsam.CustomFactor(
            gtsam.noiseModel.Isotropic.Sigma(self.size, self._settings.shared_error), self.keys, self._evaluate
        )

    def write_back(self) -> None:
        """Give the landmarks the depths of the last evaluation."""
        if len(self._seen):
            self.anchor.landmarks.log_depth[self._seen] = self.log_depth
            self.anchor.landmarks.log_sigma[self._seen] = self.log_sigma

    def _evaluate(self, _: gtsam.CustomFactor, values: gtsam.Values, jacobians: list[Array] | None) -> Array:
        poses = [values.atPose3(key).matrix() for key in self.keys[::2]]
        scales = [float(values.atVector(key)[0]) for key in self.keys[1::2]]
        self._solve_depths(poses, scales)
        r, by_depth, J = self._linearise(poses, scales, with_poses=jacobians is not None)
        if jacobians is None:
            return robust_residuals(r)
        w = np.sqrt(huber_weights(r))
        rows = self._project(w * by_depth, np.column_stack([w[:, None] * J, w * r]))
        for slot in range(len(poses)):
            jacobians[2 * slot] = np.asfortranarray(rows[:, 7 * slot : 7 * slot + 6])
            jacobians[2 * slot + 1] = np.asfortranarray(rows[:, 7 * slot + 6 : 7 * slot + 7])
        return rows[:, -1]

    def _solve_depths(self, poses: list[Array], scales: list[float]) -> None:
        """The landmarks' depths that fit the poses and scales best."""
        for _ in range(DEPTH_ROUNDS):
            r, by_depth, _J = self._linearise(poses, scales, with_poses=False)
            w = huber_weights(r)
            gradient, curvature = self._sum(w * by_depth * r), self._sum(w * by_depth * by_depth)
            self.log_depth += np.clip(-gradient / curvature, -MAX_DEPTH_STEP, MAX_DEPTH_STEP)
        self.log_sigma = 1 / np.sqrt(curvature)

    def _linearise(self, poses: list[Array], scales: list[float], with_poses: bool) -> tuple[Array, Array, Array]:
        """Residuals [size] in standard deviations, by each one's landmark [size], by poses and scales [size, 7 V].

        Rows: x, y, depth of each sighting, then the depth of each landmark in the anchor.
        """
        M, T_a = len(self._landmark), poses[0]
        R = np.stack([T[:3, :3].T @ T_a[:3, :3] for T in poses])[self._slot]
        t = np.stack([T[:3, :3].T @ (T_a[:3, 3] - T[:3, 3]) for T in poses])[self._slot]
        points = (self._rays * np.exp(self.log_depth)[:, None])[self._landmark]
        turned = np.einsum("nij,nj->ni", R, points)
        error, by_point = self._observe(turned + t, np.array(scales)[self._slot])
        anchor_error = self.log_depth - self._anchor_log - scales[0]
        r = self._whiten @ np.concatenate([error.ravel(), anchor_error])
        along_ray = np.einsum("nij,nj->ni", by_point, turned).ravel()
        by_depth = self._whiten @ np.concatenate([along_ray, np.ones(len(self._seen))])
        J = np.zeros((self.size if with_poses else 0, 7 * len(poses)))
        if with_poses:
            self._fill(J[: 3 * M].reshape(M, 3, -1), by_point, R, points, turned + t)
            J[3 * M :, 6] = -1
            J = self._whiten @ J
        return r, by_depth, J

    def _fill(self, J: Array, by_point: Array, R: Array, points: Array, seen: Array) -> None:
        """Derivatives of the sightings [M, 3, 7 V] from those by the points, in the anchor and as seen [M, 3]."""
        by_anchor = by_point @ R
        J[:, :, :3], J[:, :, 3:6] = by_anchor @ -skew(points), by_anchor
        by_observer = np.concatenate([by_point @ skew(seen), -by_point], axis=2)
        for slot, view in enumerate(self._views, start=1):
            J[view.rows, :, 7 * slot : 7 * slot + 6] = by_observer[view.rows]
            J[view.rows, 2, 7 * slot + 6] = -1

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

    def _sum(self, rows: Array) -> Array:
        """Sums [L, ...] over the residuals [size, ...] of each landmark."""
        M = len(self._landmark)
        per_sighting = rows[: 3 * M].reshape(M, 3, *rows.shape[1:]).sum(axis=1)
        total = rows[3 * M :].copy()
        for view in self._views:  # a landmark appears once in a view
            total[self._landmark[view.rows]] += per_sighting[view.rows]
        return total

    def _project(self, by_depth: Array, rows: Array) -> Array:
        """The rows [size, n] without what a change of the landmarks' depths explains."""
        share = self._sum(by_depth[:, None] * rows) / self._sum(by_depth * by_depth)[:, None]
        owner = np.concatenate([np.repeat(self._landmark, 3), np.arange(len(self._seen))])
        return np.asarray(rows - by_depth[:, None] * share[owner])
