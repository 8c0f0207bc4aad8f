"""Finding a lost camera among the places it has been to."""

from __future__ import annotations

import numpy as np

from endo_depth_ros.pose.depth_field import basis_at
from endo_depth_ros.pose.depth_samples import sample_log_depth
from endo_depth_ros.pose.place_memory import PlaceMemory
from endo_depth_ros.pose.resection import Evidence, Resection, find_consensus, refine
from endo_depth_ros.pose.settings import PoseSettings
from endo_depth_ros.pose.views import View, measure_disagreement

# Corners that look alike are found to within this, and among them chance makes small agreements.
PIXEL_SIGMA = 2.0
MIN_POINTS, MIN_SHARE = 15, 0.35
# Where fewer than most agree, they must also fix the pose: a few points in a corner of the image agree on many poses.
# Radians, and distances to the scene.
MOST, MAX_SIGMA = 0.5, 0.14


def relocalise(view: View, places: PlaceMemory, settings: PoseSettings) -> Resection | None:
    """The pose in the map, from the first place that the view agrees with in looks, geometry and depth."""
    for place in places.candidates(view.picture.grey):
        matches = places.match(place, view.picture.grey)
        if len(matches.pixels) < MIN_POINTS:
            continue
        logs = sample_log_depth(view.estimate, matches.pixels, settings)
        spread = np.tile(PIXEL_SIGMA**2 * np.eye(2), (len(matches.pixels), 1, 1))
        basis = basis_at(matches.pixels, view.estimate.depth.shape)
        evidence = Evidence(matches.map_points, matches.pixels, spread, *logs, basis, view.camera_matrix)
        consensus = find_consensus(evidence, place.keyframe.T_map_camera, settings.max_reprojection_px)
        if consensus is None:
            continue
        T, agree = consensus
        if agree.sum() < MIN_POINTS or agree.mean() < MIN_SHARE:
            continue
        evidence = evidence.chosen(agree)
        found = refine(evidence, T, settings, None)
        if agree.mean() < MOST and not _is_sure(found, view):
            continue
        if measure_disagreement(evidence, found) <= settings.max_depth_disagreement:
            return found
    return None


def _is_sure(found: Resection, view: View) -> bool:
    """Whether the points fix the pose."""
    distance = float(np.median(view.estimate.depth[view.estimate.valid]))
    variance = np.diag(found.covariance)
    return bool(variance[:3].sum() < MAX_SIGMA**2 and variance[3:].sum() < (MAX_SIGMA * distance) ** 2)
