"""The landmarks of one keyframe as a factor between it and the keyframes that see them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.pose.graph_library import gtsam
from endo_depth_ros.pose.keyframe import Keyframe, Landmarks
from endo_depth_ros.pose.lie import Array, skew
from endo_depth_ros.pose.robust import huber_weights, robust_residuals

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

    def __init__(self, anchor: Keyframe, observers: list[Keyframe], pixel_sigma: float) -> None:
        """observers: later keyframes. Landmarks that none of them sees stay out of it."""
        self.anchor, self.observers = anchor, observers
        self._pixel_sigma, self._K = pixel_sigma, anchor.K
        self._gather(anchor.landmarks)
        keys = [anchor.number, *(view.number for view in self._views)]
        self.keys = [key for number in keys for key in (pose_key(number), scale_key(number))]
        self.size = 3 * len(self._landmark) + len(self._seen)

    def _gather(self, landmarks: Landmarks) -> None:
        landmark: list[NDArray[np.int64]] = []
        pixels, log_depth, log_sigma = [], [], []
        self._views: list[_View] = []
        start = 0
        for observer in self.observers:
            mine = observer.sightings.anchor == self.anchor.number
            count = int(np.count_nonzero(mine))
            if count == 0:
                continue
            landmark.append(observer.sightings.index[mine])
            pixels.append(observer.sightings.pixels[mine])
            log_depth.append(observer.sightings.log_depth[mine])
            log_sigma.append(observer.sightings.log_sigma[mine])
            self._views.append(_View(observer.number, slice(start, start + count)))
            start += count
        if not landmark:
            self._seen = np.zeros(0, np.int64)
            self._landmark = self._seen
            return
        self._seen, self._landmark = np.unique(np.concatenate(landmark), return_inverse=True)
        self._pixels, self._log_depth = np.concatenate(pixels), np.concatenate(log_depth)
        self._depth_weight = np.where(np.isfinite(self._log_depth), 1 / np.concatenate(log_sigma), 0.0)
        self._log_depth = np.nan_to_num(self._log_depth)
        self._rays = landmarks.rays[self._seen]
        self._anchor_log, self._anchor_sigma = landmarks.measured_log[self._seen], landmarks.measured_sigma[self._seen]
        self.log_depth = landmarks.log_depth[self._seen].copy()
        self.log_sigma = landmarks.log_sigma[self._seen].copy()

    def factor(self) -> gtsam.CustomFactor | None:
        """For a gtsam graph; None when no observer sees anything of the anchor's."""
        if len(self._seen) == 0:
            return None
        return gtsam.CustomFactor(gtsam.noiseModel.Unit.Create(self.size), self.keys, self._evaluate)

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
        M, V = len(self._landmark), len(poses)
        r, by_depth = np.zeros(self.size), np.zeros(self.size)
        J = np.zeros((self.size if with_poses else 0, 7 * V))
        in_anchor = self._rays * np.exp(self.log_depth)[:, None]
        T_a = poses[0]
        for slot, view in enumerate(self._views, start=1):
            rows = slice(3 * view.rows.start, 3 * view.rows.stop)
            points = in_anchor[self._landmark[view.rows]]
            R = poses[slot][:3, :3].T @ T_a[:3, :3]
            t = poses[slot][:3, :3].T @ (T_a[:3, 3] - poses[slot][:3, 3])
            turned = points @ R.T
            error, by_point = self._observe(turned + t, view.rows, scales[slot])
            r[rows] = error.ravel()
            by_depth[rows] = np.einsum("nij,nj->ni", by_point, turned).ravel()
            if with_poses:
                count = 3 * len(points)
                by_anchor = by_point @ R
                J[rows, :3] = (by_anchor @ -skew(points)).reshape(count, 3)
                J[rows, 3:6] = by_anchor.reshape(count, 3)
                J[rows, 7 * slot : 7 * slot + 3] = (by_point @ skew(turned + t)).reshape(count, 3)
                J[rows, 7 * slot + 3 : 7 * slot + 6] = -by_point.reshape(count, 3)
                J[rows, 7 * slot + 6][2::3] = -self._depth_weight[view.rows]
        r[3 * M :] = (self.log_depth - self._anchor_log - scales[0]) / self._anchor_sigma
        by_depth[3 * M :] = 1 / self._anchor_sigma
        if with_poses:
            J[3 * M :, 6] = -1 / self._anchor_sigma
        return r, by_depth, J

    def _observe(self, points: Array, rows: slice, log_scale: float) -> tuple[Array, Array]:
        """Whitened errors [N, 3] (x, y, depth) of points [N, 3] in an observer, and by the points [N, 3, 3]."""
        K, z = self._K, np.maximum(points[:, 2], 1e-6)
        error = np.empty((len(points), 3))
        error[:, :2] = (points[:, :2] / z[:, None] @ K[:2, :2].T + K[:2, 2] - self._pixels[rows]) / self._pixel_sigma
        error[:, 2] = (np.log(z) - self._log_depth[rows] - log_scale) * self._depth_weight[rows]
        by_point = np.zeros((len(points), 3, 3))
        by_point[:, 0, 0], by_point[:, 0, 1], by_point[:, 1, 1] = K[0, 0] / z, K[0, 1] / z, K[1, 1] / z
        by_point[:, :2, 2] = -(points[:, :2] @ K[:2, :2].T) / (z * z)[:, None]
        by_point[:, :2] /= self._pixel_sigma
        by_point[:, 2, 2] = self._depth_weight[rows] / z
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
