"""One frame as the tracker looks at it, and what it found of the known landmarks in it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.contracts import DepthEstimate
from endo_depth_ros.geometry.transforms import Transform
from endo_depth_ros.pose.appearance import even_out
from endo_depth_ros.pose.depth_samples import sample_log_depth
from endo_depth_ros.pose.flow import follow
from endo_depth_ros.pose.keyframe import Keyframe, Tracks, locate, project_points
from endo_depth_ros.pose.lie import Array
from endo_depth_ros.pose.resection import Evidence, Prior, Resection, find_consensus, refine
from endo_depth_ros.pose.settings import PoseSettings


@dataclass(frozen=True, eq=False)
class View:
    """A frame with depth. trusted: bool [H, W], False on instruments, None where nobody knows."""

    estimate: DepthEstimate
    trusted: NDArray[np.bool_] | None

    @cached_property
    def picture(self) -> NDArray[np.uint8]:
        """The evened-out grey image, uint8 [H, W]."""
        return even_out(self.estimate.frame.image)

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


class TrackingError(RuntimeError):
    """A frame gives no pose; the text says what was measured."""


class NoMatchError(TrackingError):
    """The known points aren't found again, or agree on no pose."""


def follow_landmarks(
    view: View,
    picture: NDArray[np.uint8],
    tracks: Tracks,
    keyframes: dict[int, Keyframe],
    guess: Transform,
    settings: PoseSettings,
) -> tuple[Tracks, Evidence]:
    """The tracked landmarks that are found in the view, and where.

    picture: the newest keyframe's, in which the tracks are. guess: T_map_camera. Raises NoMatchError.
    """
    points = locate(tracks, keyframes)
    newest = keyframes[max(keyframes)]
    drift = tracks.pixels - project_points(points.points, newest.T_map_camera, newest.K)[0]
    expected, z = project_points(points.points, guess, view.camera_matrix)
    ahead = z > 0
    start = np.where(ahead[:, None], expected + drift, tracks.pixels).astype(np.float32)
    pixels, found = follow(
        picture,
        view.picture,
        tracks.pixels,
        start,
        settings.flow_window_px,
        settings.flow_levels,
        settings.max_return_px,
    )
    if view.trusted is not None:
        column, row = np.rint(pixels[found]).astype(np.intp).T
        found[found] = view.trusted[row, column]
    if np.count_nonzero(found) < settings.min_points:
        raise NoMatchError(f"only {np.count_nonzero(found)} of {len(tracks)} points were found again")
    seen = pixels.astype(np.float64)
    logs = sample_log_depth(view.estimate, seen, settings)
    evidence = Evidence(points, seen, tracks.covariance, *logs, view.camera_matrix, drift)
    return tracks.chosen(found), evidence.chosen(found)


def locate_camera(
    tracks: Tracks, evidence: Evidence, guess: Transform, prior: Prior | None, looked_for: int, settings: PoseSettings
) -> Sight:
    """The pose that the evidence makes. looked_for: how many landmarks there were. Raises TrackingError."""
    consensus = find_consensus(evidence, guess, settings.max_reprojection_px)
    if consensus is None:
        raise NoMatchError(f"{len(evidence.pixels)} points agree on no pose")
    T, agree = consensus
    if agree.sum() < settings.min_points or agree.mean() < settings.min_inlier_share:
        raise NoMatchError(f"only {agree.sum()} of {len(agree)} points agree on a pose")
    evidence, tracks = evidence.chosen(agree), tracks.chosen(agree)
    resection = refine(evidence, T, settings, prior)
    disagreement = measure_disagreement(evidence, resection)
    if disagreement > settings.max_depth_disagreement:
        raise TrackingError(
            f"depth differs by {disagreement:.0%} from the points already known, more than "
            f"{settings.max_depth_disagreement:.0%}"
        )
    return Sight(resection, tracks, evidence, len(tracks) / max(looked_for, 1))


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
