"""One frame as the tracker looks at it, and what it found of the known landmarks in it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.contracts import DepthEstimate
from endo_depth_ros.geometry.transforms import Transform
from endo_depth_ros.pose.appearance import Picture, even_out
from endo_depth_ros.pose.keyframe import Tracks, project_points
from endo_depth_ros.pose.lie import Array
from endo_depth_ros.pose.local_depth import DepthPoints
from endo_depth_ros.pose.resection import Evidence, Resection

EXACT = 1e-6  # a standard deviation of log depth that is as good as none


@dataclass(frozen=True, eq=False)
class View:
    """A frame with depth. trusted: bool [H, W], False on instruments, None where nobody knows."""

    estimate: DepthEstimate
    trusted: NDArray[np.bool_] | None

    @cached_property
    def picture(self) -> Picture:
        """The evened-out grey image of what has depth and is tissue."""
        tissue = self.estimate.valid if self.trusted is None else self.estimate.valid & self.trusted
        return even_out(self.estimate.frame.image, tissue)

    @property
    def camera_matrix(self) -> Array:
        """Intrinsics [3, 3]."""
        return self.estimate.frame.camera.K

    @property
    def frame_id(self) -> str:
        """Of the camera's optical frame."""
        return self.estimate.frame.frame_id

    @property
    def stamp_ns(self) -> int:
        """Of the image."""
        return self.estimate.frame.stamp_ns


@dataclass(frozen=True)
class Sight:
    """A pose found by tracking.

    tracks: the landmarks it rests on. evidence: what was seen of them. share: of the landmarks that were looked for.
    """

    resection: Resection
    tracks: Tracks
    evidence: Evidence
    share: float

    def depth_points(self) -> DepthPoints:
        """The landmarks' depth in the frame, given the poses, and how well it is known beyond what the network says.

        A landmark that has shown no parallax has the network's depth, no second opinion on it: log_sigma is infinite.
        """
        evidence, T = self.evidence, self.resection.T_map_camera
        _, z = project_points(evidence.map_points.points, T, evidence.K)
        z = np.where(z > 0, z, np.nan)
        log_sigma = np.maximum(np.abs(evidence.map_points.spread @ T[:3, 2]) / z, EXACT)
        beyond = log_sigma**-2.0 - evidence.log_sigma**-2.0
        known = beyond > 0
        log_sigma = np.where(known, np.where(known, beyond, 1.0) ** -0.5, np.inf)
        return DepthPoints(evidence.pixels, np.log(z), log_sigma)


class TrackingError(RuntimeError):
    """A frame gives no pose; the text says what was measured."""


class NoMatchError(TrackingError):
    """The known points aren't found again, or agree on no pose."""


def measure_disagreement(evidence: Evidence, resection: Resection) -> float:
    """Median |log(depth of a point / the frame's depth there)|; infinite where the frame has no depth."""
    _, z = project_points(evidence.map_points.points, resection.T_map_camera, evidence.K)
    known = np.isfinite(evidence.log_depth) & (z > 0)
    if not known.any():
        return float("inf")
    return float(np.median(np.abs(np.log(z[known]) - evidence.log_depth[known])))


def measure_parallax(
    start: NDArray[np.floating], end: NDArray[np.floating], T_map_start: Transform, T_map_end: Transform, K: Array
) -> float:
    """Median displacement in pixels of points from `start` to `end` [N, 2] that the rotation doesn't explain."""
    turn = K @ T_map_end[:3, :3].T @ T_map_start[:3, :3] @ np.linalg.inv(K)
    turned = np.column_stack([start, np.ones(len(start))]) @ turn.T
    return float(np.median(np.linalg.norm(turned[:, :2] / turned[:, 2:] - end, axis=1)))
