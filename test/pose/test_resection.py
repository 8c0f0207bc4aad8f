"""Poses from known points: exact without noise, robust, repeatable, with honest covariance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from endo_depth_ros.geometry.transforms import invert_transform
from endo_depth_ros.pose.depth_field import TERMS, basis_at
from endo_depth_ros.pose.keyframe import MapPoints, project_points
from endo_depth_ros.pose.lie import exp_se3, log_se3
from endo_depth_ros.pose.resection import Evidence, Prior, find_consensus, refine
from endo_depth_ros.pose.settings import PoseSettings

SHAPE = (256, 320)
HALF_A_PIXEL = np.tile(0.25 * np.eye(2), (500, 1, 1))
K = np.array([[160.0, 0, 159.5], [0, 160.0, 127.5], [0, 0, 1]])
POSE = exp_se3(np.array([0.1, -0.2, 0.3, 0.004, -0.002, 0.003]))
SETTINGS = PoseSettings(shared_error=1.0, scale_log_sigma=0.03)
FREE = PoseSettings(shared_error=1.0, scale_log_sigma=1e3)
GUESS = POSE @ exp_se3(np.array([0.02, -0.02, 0.01, 0.001, 0.001, -0.001]))


def evidence(count: int = 120, pixel_noise: float = 0.0, flicker: float = 0.0, seed: int = 0) -> Evidence:
    rng = np.random.default_rng(seed)
    pixels = rng.uniform([20, 20], [300, 236], (count, 2))
    depth = rng.uniform(0.02, 0.06, count)
    rays = np.column_stack([pixels, np.ones(count)]) @ np.linalg.inv(K).T
    points = rays * depth[:, None] @ POSE[:3, :3].T + POSE[:3, 3]
    noisy = pixels + pixel_noise * rng.normal(size=pixels.shape)
    logs = np.log(depth) + 0.03 * (pixel_noise > 0) * rng.normal(size=count) - flicker
    known = MapPoints(points, np.zeros_like(points))
    return Evidence(known, noisy, HALF_A_PIXEL[:count], logs, np.full(count, 0.03), basis_at(pixels, SHAPE), K)


def distance(T: np.ndarray) -> float:
    return float(np.abs(log_se3(invert_transform(POSE) @ T)).max())


def test_pose_and_flicker_are_exact_without_noise() -> None:
    found = refine(evidence(flicker=0.05), GUESS, FREE, None)
    assert distance(found.T_map_camera) < 1e-6
    assert abs(found.log_scale - 0.05) < 1e-6


def test_flicker_does_not_move_the_camera() -> None:
    still = refine(evidence(pixel_noise=0.3), GUESS, SETTINGS, None)
    flickering = refine(evidence(pixel_noise=0.3, flicker=0.06), GUESS, SETTINGS, None)
    moved = log_se3(invert_transform(still.T_map_camera) @ flickering.T_map_camera)
    assert np.linalg.norm(moved[3:]) < 0.0005 * 0.04 / 0.03  # 6 % of 40 mm would be 2.4 mm


def test_wrong_points_are_found_out() -> None:
    right = evidence(pixel_noise=0.3)
    wrong = right.pixels.copy()
    wrong[:40] += np.random.default_rng(1).uniform(10, 60, (40, 2))
    both = replace(right, pixels=wrong)
    consensus = find_consensus(both, np.eye(4), 3.0)
    assert consensus is not None
    T, agree = consensus
    assert not agree[:40].any()
    assert agree[40:].mean() > 0.9
    assert distance(T) < 0.02


def test_consensus_repeats_to_the_bit() -> None:
    data = evidence(pixel_noise=1.0)
    first = find_consensus(data, GUESS, 2.0)
    find_consensus(evidence(seed=5, pixel_noise=2.0), np.eye(4), 1.0)
    second = find_consensus(data, GUESS, 2.0)
    assert first is not None
    assert second is not None
    assert np.array_equal(first[0], second[0])
    assert np.array_equal(first[1], second[1])


def test_points_in_one_place_have_no_pose() -> None:
    one = evidence(count=30)
    same = Evidence(
        MapPoints(np.tile(one.map_points.points[:1], (30, 1)), np.zeros((30, 3))),
        np.tile(one.pixels[:1], (30, 1)), one.covariance, one.log_depth, one.log_sigma, one.basis, K,
    )  # fmt: skip
    found = find_consensus(same, GUESS, 2.0)
    assert found is None or np.isfinite(found[0]).all()


def test_covariance_covers_the_errors() -> None:
    normalised = []
    for seed in range(60):
        found = refine(evidence(pixel_noise=0.5, seed=seed), POSE, SETTINGS, None)
        error = log_se3(invert_transform(POSE) @ found.T_map_camera)
        normalised.append(error @ np.linalg.solve(found.covariance, error))
    assert 4.5 < np.mean(normalised) < 8.5  # six degrees of freedom; Huber's kernel costs a little


def test_uncertain_depth_of_points_counts_along_its_direction_only() -> None:
    data = evidence()
    spread = 0.2 * (data.map_points.points - 0)  # seen from the origin of the map
    loose = replace(data, map_points=MapPoints(data.map_points.points, spread))
    certain = refine(data, POSE, SETTINGS, None).covariance
    uncertain = refine(loose, POSE, SETTINGS, None).covariance
    assert uncertain[3, 3] > 1.5 * certain[3, 3]
    assert uncertain[2, 2] < 3 * certain[2, 2]
    assert project_points(data.map_points.points, POSE, K)[1].min() > 0


def test_a_strong_prior_holds_the_pose() -> None:
    prior = Prior(GUESS, np.eye(6) * 1e12)
    found = refine(evidence(pixel_noise=0.3), POSE, SETTINGS, prior)
    assert np.abs(log_se3(invert_transform(GUESS) @ found.T_map_camera)).max() < 1e-4


def test_smooth_error_of_depth_is_found_and_moves_no_camera() -> None:
    data = evidence(count=300)
    lacks = np.append([0.05, 0.1, -0.08, 0.06], np.zeros(TERMS - 4))
    wrong = replace(data, log_depth=data.log_depth - data.basis @ lacks)
    found = refine(wrong, GUESS, replace(FREE, field_share=10.0), None)
    assert distance(found.T_map_camera) < 1e-6
    np.testing.assert_allclose(found.depth_field.coefficients, lacks, atol=1e-4)


def test_covariance_of_the_field_covers_its_errors() -> None:
    normalised = []
    for seed in range(60):
        found = refine(evidence(pixel_noise=0.5, seed=seed), POSE, SETTINGS, None).depth_field
        normalised.append(found.coefficients @ np.linalg.solve(found.covariance, found.coefficients))
    # Some of the covariance is the prior's, which allows more than the nothing that is wrong here.
    assert 0.3 * TERMS < np.mean(normalised) < 1.2 * TERMS
