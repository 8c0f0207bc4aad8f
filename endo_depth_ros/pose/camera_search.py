"""Finding the camera from the landmarks of the newest keyframe: by small patches, or else by wide ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from endo_depth_ros.geometry.transforms import Transform
from endo_depth_ros.pose.appearance import Picture
from endo_depth_ros.pose.depth_field import basis_at
from endo_depth_ros.pose.depth_samples import sample_log_depth
from endo_depth_ros.pose.flow import follow
from endo_depth_ros.pose.keyframe import Keyframe, Tracks, locate, project_points
from endo_depth_ros.pose.resection import Evidence, Prior, find_consensus, refine
from endo_depth_ros.pose.settings import PoseSettings
from endo_depth_ros.pose.views import NoMatchError, Sight, TrackingError, View, measure_disagreement

# Share of min_points and of min_inlier_share that is enough where only wide patches are found at first.
EASED = 0.75
# Halvings once the camera is about known.
NEAR_LEVELS = 1


@dataclass(frozen=True)
class Landmarked:
    """What the camera is looked for in. picture: the newest keyframe's, in which the tracks are."""

    picture: Picture
    tracks: Tracks
    keyframes: dict[int, Keyframe]


@dataclass(frozen=True)
class _Effort:
    """How hard is looked. ease: share of the usual demands on the number of points that agree."""

    window_px: int
    levels: int
    ease: float


def find_camera(view: View, known: Landmarked, guess: Transform, prior: Prior | None, settings: PoseSettings) -> Sight:
    """The pose of a view that is expected at `guess`, T_map_camera.

    Bare walls have texture, but faint and wide: what no small patch finds, wide ones may. These smear depth and
    perspective, so the small ones are followed again from where the wide ones put the camera. Raises TrackingError.
    """
    usual = _Effort(settings.flow_window_px, settings.flow_levels, 1.0)
    try:
        return _look(view, known, guess, prior, usual, settings)
    except NoMatchError:
        wide = _Effort(settings.wide_window_px, settings.flow_levels, EASED)
        near = _Effort(settings.flow_window_px, NEAR_LEVELS, EASED)
        about = _look(view, known, guess, prior, wide, settings).resection.T_map_camera
        return _look(view, known, about, prior, near, settings)


def _look(
    view: View, known: Landmarked, guess: Transform, prior: Prior | None, effort: _Effort, settings: PoseSettings
) -> Sight:
    tracks, evidence = _follow_landmarks(view, known, guess, effort, settings)
    consensus = find_consensus(evidence, guess, settings.max_reprojection_px)
    if consensus is None:
        raise NoMatchError(f"{len(evidence.pixels)} points agree on no pose")
    T, agree = consensus
    if agree.sum() < effort.ease * settings.min_points or agree.mean() < effort.ease * settings.min_inlier_share:
        raise NoMatchError(f"only {agree.sum()} of {len(agree)} points agree on a pose")
    evidence, tracks = evidence.chosen(agree), tracks.chosen(agree)
    resection = refine(evidence, T, settings, prior)
    disagreement = measure_disagreement(evidence, resection)
    if disagreement > settings.max_depth_disagreement:
        raise TrackingError(
            f"depth differs by {disagreement:.0%} from the points already known, more than "
            f"{settings.max_depth_disagreement:.0%}"
        )
    return Sight(resection, tracks, evidence, len(tracks) / max(len(known.tracks), 1))


def _follow_landmarks(
    view: View, known: Landmarked, guess: Transform, effort: _Effort, settings: PoseSettings
) -> tuple[Tracks, Evidence]:
    """The landmarks that are found in the view, and where."""
    tracks = known.tracks
    points = locate(tracks, known.keyframes)
    newest = known.keyframes[max(known.keyframes)]
    drift = tracks.pixels - project_points(points.points, newest.T_map_camera, newest.K)[0]
    expected, z = project_points(points.points, guess, view.camera_matrix)
    ahead = z > 0
    start = np.where(ahead[:, None], expected + drift, tracks.pixels).astype(np.float32)
    pixels, found = follow(
        known.picture.grey,
        view.picture.grey,
        tracks.pixels,
        start,
        effort.window_px,
        effort.levels,
        settings.max_return_px,
    )
    if view.trusted is not None:
        column, row = np.rint(pixels[found]).astype(np.intp).T
        found[found] = view.trusted[row, column]
    if np.count_nonzero(found) < effort.ease * settings.min_points:
        raise NoMatchError(f"only {np.count_nonzero(found)} of {len(tracks)} points were found again")
    seen = pixels.astype(np.float64)
    logs = sample_log_depth(view.estimate, seen, settings)
    basis = basis_at(seen, view.estimate.depth.shape)
    evidence = Evidence(points, seen, tracks.covariance, *logs, basis, view.camera_matrix, drift)
    return tracks.chosen(found), evidence.chosen(found)
