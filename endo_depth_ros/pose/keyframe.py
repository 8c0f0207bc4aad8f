"""Keyframes, the landmarks born in them and what other keyframes saw of these."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.geometry.transforms import Transform, invert_transform, transform_points
from endo_depth_ros.pose.lie import Array


@dataclass
class Landmarks:
    """Points born in one keyframe: on its rays, at a depth that all keyframes that see them agree on.

    rays: [N, 3] in the keyframe's optical frame, z = 1. measured_log: [N], logarithm of the keyframe's own depth.
    measured_sigma: [N], of measured_log. log_depth: [N], the estimate. log_sigma: [N], of the estimate given the poses.
    basis: [N, TERMS], of the depth's field where they are.
    """

    rays: Array
    measured_log: Array
    measured_sigma: Array
    log_depth: Array
    log_sigma: Array
    basis: Array


@dataclass(frozen=True)
class Sightings:
    """What a keyframe saw of landmarks that earlier ones brought.

    anchor: [M], the number of the keyframe in which the landmark was born. index: [M], in that keyframe's landmarks.
    pixels: [M, 2]. covariance: [M, 2, 2], of what they strayed by since the keyframe before. log_depth: [M], of this
    keyframe's depth there, NaN for none. log_sigma: [M]. basis: [M, TERMS], of the depth's field there.
    """

    anchor: NDArray[np.int64]
    index: NDArray[np.int64]
    pixels: Array
    covariance: Array
    log_depth: Array
    log_sigma: Array
    basis: Array


@dataclass
class Keyframe:
    """A frame that others are compared with.

    T_map_camera and depth_field (coefficients [TERMS] of a DepthField) are estimates and change.
    K: [3, 3]. metres_per_unit: what the model's depth was multiplied by before it came here.
    """

    number: int
    stamp_ns: int
    K: Array
    T_map_camera: Transform
    depth_field: Array
    landmarks: Landmarks
    sightings: Sightings
    metres_per_unit: float = 1.0

    @property
    def depth_sigmas(self) -> Array:
        """Of the logarithms of its depth, at all landmarks that it brings or sees."""
        return np.concatenate([self.landmarks.measured_sigma, self.sightings.log_sigma])


@dataclass
class Tracks:
    """Landmarks that are being followed from the newest keyframe.

    anchor, index: [N], as in Sightings. pixels: float32 [N, 2] in the newest keyframe. covariance: [N, 2, 2], of what
    they will stray by from there.
    """

    anchor: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    index: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    pixels: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 2), np.float32))
    covariance: Array = field(default_factory=lambda: np.zeros((0, 2, 2)))

    def __len__(self) -> int:
        return len(self.anchor)

    def chosen(self, which: NDArray[np.bool_]) -> Tracks:
        """Those where `which` [N] is True."""
        return Tracks(self.anchor[which], self.index[which], self.pixels[which], self.covariance[which])


@dataclass(frozen=True)
class MapPoints:
    """Landmarks in the map. points: [N, 3], metres. spread: [N, 3], one standard deviation along the anchor's ray."""

    points: Array
    spread: Array


def locate(tracks: Tracks, keyframes: dict[int, Keyframe]) -> MapPoints:
    """Where the tracked landmarks are in the map; their keyframes must be among `keyframes` (by number)."""
    points, spread = np.zeros((len(tracks), 3)), np.zeros((len(tracks), 3))
    for number in np.unique(tracks.anchor):
        mine = tracks.anchor == number
        anchor, index = keyframes[int(number)], tracks.index[mine]
        in_camera = anchor.landmarks.rays[index] * np.exp(anchor.landmarks.log_depth[index])[:, None]
        points[mine] = transform_points(anchor.T_map_camera, in_camera)
        along = in_camera * anchor.landmarks.log_sigma[index][:, None]
        spread[mine] = along @ anchor.T_map_camera[:3, :3].T
    return MapPoints(points, spread)


def project_points(points_map: Array, T_map_camera: Transform, K: Array) -> tuple[Array, Array]:
    """Pixels [N, 2] and depth z [N] of points [N, 3] of the map."""
    in_camera = transform_points(invert_transform(T_map_camera), points_map)
    z = np.maximum(in_camera[:, 2], 1e-9)
    return in_camera[:, :2] / z[:, None] @ K[:2, :2].T + K[:2, 2], in_camera[:, 2]
