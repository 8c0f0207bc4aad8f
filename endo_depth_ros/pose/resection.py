"""The pose of a camera that sees known points: seeded RANSAC, then all the evidence together."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.geometry.transforms import Transform, invert_transform
from endo_depth_ros.pose.depth_field import TERMS, DepthField
from endo_depth_ros.pose.flow_error import whitening
from endo_depth_ros.pose.keyframe import MapPoints
from endo_depth_ros.pose.lie import Array, exp_se3, log_se3
from endo_depth_ros.pose.robust import huber_weights
from endo_depth_ros.pose.settings import PoseSettings

RANSAC_ROUNDS = 100
RANSAC_CONFIDENCE = 0.995
REFINEMENTS = 6
SETTLED = 0.01  # standard deviations: steps shorter than that are the last


@dataclass(frozen=True)
class Evidence:
    """What a frame shows of known points.

    map_points: the points. pixels: [N, 2]. covariance: [N, 2, 2], of the pixels. log_depth: [N], of the frame's own
    depth there, NaN for none. log_sigma: [N], of log_depth. basis: [N, TERMS], of the depth's field. K: [3, 3]. drift:
    [N, 2], pixels that the points had strayed by where they were followed from: errors of following add up, and what is
    new is the rest.
    """

    map_points: MapPoints
    pixels: Array
    covariance: Array
    log_depth: Array
    log_sigma: Array
    basis: Array
    K: Array
    drift: Array = field(default_factory=lambda: np.zeros((1, 2)))

    @property
    def settled(self) -> Array:
        """The pixels [N, 2] less what they had strayed by before."""
        return self.pixels - self.drift

    def chosen(self, which: NDArray[np.bool_]) -> Evidence:
        """The evidence of the points where `which` [N] is True."""
        points = MapPoints(self.map_points.points[which], self.map_points.spread[which])
        drift = np.broadcast_to(self.drift, self.pixels.shape)[which]
        logs = self.log_depth[which], self.log_sigma[which], self.basis[which]
        return Evidence(points, self.pixels[which], self.covariance[which], *logs, self.K, drift)


@dataclass(frozen=True)
class Prior:
    """What is known of a pose beforehand. information: inverse covariance [6, 6] of the twist at T_map_camera."""

    T_map_camera: Transform
    information: Array


@dataclass(frozen=True)
class Resection:
    """A pose and what it rests on.

    depth_field: its covariance is given the map. log_scale: mean of the field where the points are. covariance: [6, 6],
    body frame, given the map.
    """

    T_map_camera: Transform
    depth_field: DepthField
    log_scale: float
    covariance: Array


def find_consensus(
    evidence: Evidence, guess: Transform, max_error_px: float
) -> tuple[Transform, NDArray[np.bool_]] | None:
    """A pose that most points agree on, and which do, bool [N]; None where there is none.

    Three points make a pose (Ke and Roumeliotis 2017) and the first round tries `guess`. Repeats exactly: OpenCV's
    RANSAC starts each call from the same seed.
    """
    if len(evidence.pixels) < 6:
        return None
    T_camera_map = invert_transform(guess)
    rotation, translation = cv2.Rodrigues(T_camera_map[:3, :3])[0], T_camera_map[:3, 3:].copy()
    try:
        ok, found_rotation, found_translation, inliers = cv2.solvePnPRansac(
            evidence.map_points.points,
            evidence.settled,
            evidence.K,
            None,
            rotation,
            translation,
            True,
            RANSAC_ROUNDS,
            max_error_px,
            RANSAC_CONFIDENCE,
            flags=cv2.SOLVEPNP_AP3P,
        )
    except cv2.error:
        return None  # points that lie on one line or in one place
    pose = np.concatenate([np.ravel(found_rotation), np.ravel(found_translation)])
    if not ok or inliers is None or not np.isfinite(pose).all():
        return None
    agree = np.zeros(len(evidence.pixels), bool)
    agree[inliers.ravel()] = True
    T = np.eye(4)
    T[:3, :3], T[:3, 3] = cv2.Rodrigues(pose[:3])[0], pose[3:]
    return invert_transform(T), agree


def refine(
    evidence: Evidence,
    guess: Transform,
    settings: PoseSettings,
    prior: Prior | None,
) -> Resection:
    """The most likely pose and field of the frame's depth: reprojection, depth and prior, robustly (Huber).

    Gauss-Newton over a twist and the field's coefficients, whose prior is that of the settings. Points count by how
    well they are known: across the direction in which their uncertainty moves them in the image fully, along it less.
    """
    T, c = guess.copy(), np.zeros(TERMS)
    field_information = np.diag(settings.field_sigmas(settings.scale_log_sigma, evidence.log_sigma) ** -2.0)
    H = np.eye(6 + TERMS)
    for _ in range(REFINEMENTS):
        r, J = _residuals(evidence, T, c)
        w = huber_weights(r) / settings.shared_error**2
        H = (J * w[:, None]).T @ J
        g = (J * w[:, None]).T @ r
        H[6:, 6:] += field_information
        g[6:] += field_information @ c
        if prior is not None:
            H[:6, :6] += prior.information
            g[:6] += prior.information @ log_se3(invert_transform(prior.T_map_camera) @ T)
        step = np.asarray(np.linalg.solve(H + 1e-9 * np.diag(np.diag(H)), -g), np.float64)
        T, c = T @ exp_se3(step[:6]), c + step[6:]
        if step @ H @ step < SETTLED**2:
            break
    covariance = np.asarray(np.linalg.inv(H), np.float64)
    log_scale = float(np.mean(evidence.basis @ c))
    return Resection(T, DepthField(c, covariance[6:, 6:]), log_scale, covariance[:6, :6])


def _residuals(evidence: Evidence, T: Transform, field: Array) -> tuple[Array, Array]:
    """Whitened residuals [3 N] (x, y of all points, then depth) and their Jacobian [3 N, 6 + TERMS]."""
    R, A, count = T[:3, :3], evidence.K[:2, :2], len(evidence.pixels)
    p, spread = (evidence.map_points.points - T[:3, 3]) @ R, evidence.map_points.spread @ R
    z = np.maximum(p[:, 2], 1e-9)
    place = p[:, :2] / z[:, None]
    error = place @ A.T + evidence.K[:2, 2] - evidence.settled
    drift = (spread[:, :2] - place * spread[:, 2:]) / z[:, None] @ A.T
    whiten = whitening(evidence.covariance + drift[:, :, None] * drift[:, None, :])
    J = np.zeros((3 * count, 6 + TERMS))
    J[: 2 * count, :6] = (whiten @ A @ _move(place, z)).reshape(-1, 6)
    r = np.empty(3 * count)
    r[: 2 * count] = (whiten @ error[:, :, None]).ravel()
    known = np.isfinite(evidence.log_depth) & (p[:, 2] > 0)
    weight = np.where(known, 1 / np.hypot(evidence.log_sigma, spread[:, 2] / z), 0.0)
    r[2 * count :] = weight * np.where(known, np.log(z) - evidence.log_depth - evidence.basis @ field, 0.0)
    # d log(z): the third row of p × rotation - translation, over z.
    J[2 * count :, 0], J[2 * count :, 1] = -weight * place[:, 1], weight * place[:, 0]
    J[2 * count :, 5], J[2 * count :, 6:] = -weight / z, -weight[:, None] * evidence.basis
    return r, J


def _move(place: Array, z: Array) -> Array:
    """Derivatives [N, 2, 6] of (x/z, y/z) [N, 2] of points at depths [N] by a twist of the camera, body frame."""
    x, y = place.T
    J = np.zeros((len(z), 2, 6))
    J[:, 0, 0], J[:, 0, 1], J[:, 0, 2] = x * y, -1 - x * x, y
    J[:, 1, 0], J[:, 1, 1], J[:, 1, 2] = 1 + y * y, -x * y, -x
    J[:, 0, 3] = J[:, 1, 4] = -1 / z
    J[:, 0, 5], J[:, 1, 5] = x / z, y / z
    return J
