"""A frame becomes a keyframe: what it saw of known landmarks, and new ones where there were none."""

from __future__ import annotations

import numpy as np

from endo_depth_ros.geometry.transforms import Transform
from endo_depth_ros.pose.corners import find_corners
from endo_depth_ros.pose.depth_field import TERMS, basis_at
from endo_depth_ros.pose.depth_samples import find_usable, sample_log_depth
from endo_depth_ros.pose.flow_error import flow_covariance
from endo_depth_ros.pose.keyframe import Keyframe, Landmarks, Sightings, Tracks
from endo_depth_ros.pose.lie import Array
from endo_depth_ros.pose.settings import PoseSettings
from endo_depth_ros.pose.views import Sight, View


def make_keyframe(
    view: View, number: int, T_map_camera: Transform, depth_field: Array, seen: Sightings, settings: PoseSettings
) -> tuple[Keyframe, Tracks]:
    """The keyframe, and all landmarks to follow from it: those of `seen` and those that it brings.

    depth_field: coefficients [TERMS] of its depth's DepthField.
    """
    usable = find_usable(view.estimate, view.trusted)
    known = seen.pixels.astype(np.float32)
    corners = find_corners(view.picture.grey, usable, known, settings.grid_cell_px, settings.corner_quality)
    pixels = corners.astype(np.float64)
    measured_log, measured_sigma = sample_log_depth(view.estimate, pixels, settings)
    rays = np.column_stack([pixels, np.ones(len(pixels))]) @ np.linalg.inv(view.camera_matrix).T
    basis = basis_at(pixels, view.estimate.depth.shape)
    estimated = measured_log + basis @ depth_field
    landmarks = Landmarks(rays, measured_log, measured_sigma, estimated, measured_sigma.copy(), basis)
    unit = view.estimate.status.scale.value
    keyframe = Keyframe(number, view.stamp_ns, view.camera_matrix, T_map_camera, depth_field, landmarks, seen, unit)
    tracked = np.concatenate([known, corners])
    tracks = Tracks(
        np.concatenate([seen.anchor, np.full(len(corners), number, np.int64)]),
        np.concatenate([seen.index, np.arange(len(corners))]),
        tracked,
        flow_covariance(view.picture, tracked, settings.flow_window_px, settings.pixel_sigma),
    )
    return keyframe, tracks


def nothing_seen() -> Sightings:
    """What a first keyframe saw of earlier ones' landmarks."""
    whole, real = np.zeros(0, np.int64), np.zeros(0)
    return Sightings(whole, whole, np.zeros((0, 2)), np.zeros((0, 2, 2)), real, real, np.zeros((0, TERMS)))


def sightings_of(sight: Sight, oldest_anchor: int) -> Sightings:
    """What a frame saw of landmarks whose keyframes are numbered from oldest_anchor on."""
    kept = sight.tracks.anchor >= oldest_anchor
    tracks, evidence = sight.tracks.chosen(kept), sight.evidence.chosen(kept)
    logs = evidence.log_depth, evidence.log_sigma
    return Sightings(tracks.anchor, tracks.index, evidence.pixels, evidence.covariance, *logs, evidence.basis)
