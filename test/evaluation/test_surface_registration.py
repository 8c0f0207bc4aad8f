"""Clouds whose true place on a surface is known are brought there, and bad ones are told."""

from functools import lru_cache

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from endo_depth_ros.evaluation.depth_cloud import DepthCloud, cloud_from_depth
from endo_depth_ros.evaluation.surface import Surface
from endo_depth_ros.evaluation.surface_registration import (
    RegistrationError,
    RegistrationOptions,
    Similarity,
    fit_similarity,
    register,
    target_errors,
)
from endo_depth_ros.geometry.camera import CameraError, pinhole_from_hfov

AT_HOME = Similarity(1.0, np.eye(3), np.zeros(3))


@lru_cache(maxsize=1)
def relief():
    """A bumpy wall of 60 x 60 mm about 50 mm in front of the origin, without symmetry."""
    x, y = np.meshgrid(np.linspace(-0.03, 0.03, 40), np.linspace(-0.03, 0.03, 40))
    z = 0.05 + 0.004 * np.sin(150 * x) * np.cos(120 * y + 1) + 3.0 * x**2 + 0.1 * y + 0.003 * np.sin(90 * (x + y))
    vertices = np.stack([x, y, z], -1).reshape(-1, 3)
    corner = (np.arange(39)[:, None] * 40 + np.arange(39)).ravel()
    quads = np.stack([corner, corner + 1, corner + 40, corner + 41], 1)
    return Surface(vertices, np.concatenate([quads[:, [0, 2, 1]], quads[:, [1, 2, 3]]]))


def cloud_on(surface, count=800, seed=0, noise=0.0):
    """Points in the middle of the surface with its normals, shifted along them by Gaussian noise."""
    rng = np.random.default_rng(seed)
    middle = np.flatnonzero(np.abs(surface.corners.mean(axis=1)[:, :2]).max(axis=1) < 0.022)
    chosen = rng.choice(middle, count)
    points = np.einsum("nk,nkd->nd", rng.dirichlet([1, 1, 1], count), surface.corners[chosen])
    normals = surface.normals[chosen]
    return DepthCloud(points + noise * rng.standard_normal((count, 1)) * normals, normals)


def moved(cloud, similarity):
    """The cloud as it would be predicted: in another place and scale, so that `similarity` brings it home."""
    points = (cloud.points - similarity.t) @ similarity.R / similarity.scale
    return DepthCloud(points, cloud.normals @ similarity.R)


TRUE = Similarity(1.1, Rotation.from_rotvec([0.1, -0.08, 0.12]).as_matrix(), np.array([0.004, -0.003, 0.005]))


def test_a_displaced_and_scaled_cloud_comes_home_with_its_scale():
    found = register(moved(cloud_on(relief()), TRUE), relief(), AT_HOME)
    assert found.mean_m < 1e-6
    assert found.p95_m < 1e-5
    assert found.scale_change == pytest.approx(1.1, abs=1e-3)
    np.testing.assert_allclose(found.similarity.R, TRUE.R, atol=1e-3)
    landmarks = moved(cloud_on(relief(), 5, seed=9), TRUE).points
    assert target_errors(found.similarity, landmarks, cloud_on(relief(), 5, seed=9).points).max() < 1e-4


def test_the_residual_of_noise_is_its_mean_distance():
    found = register(moved(cloud_on(relief(), 1500, noise=0.0003), TRUE), relief(), AT_HOME)
    # Mean |N(0, σ)| = σ √(2/π); a little is taken up by the fit.
    assert found.mean_m == pytest.approx(0.0003 * np.sqrt(2 / np.pi), rel=0.1)
    assert found.scale_change == pytest.approx(1.1, abs=0.02)


def test_a_tenth_of_the_points_far_away_does_not_pull_the_rest():
    cloud = cloud_on(relief())
    points = cloud.points.copy()
    points[::10] += [0, 0, -0.02]
    found = register(moved(DepthCloud(points, cloud.normals), TRUE), relief(), AT_HOME)
    assert found.inlier_mean_m < 1e-4
    assert found.p95_m > 0.005
    assert found.scale_change == pytest.approx(1.1, abs=0.01)


def test_metric_depth_keeps_its_scale():
    found = register(moved(cloud_on(relief()), TRUE), relief(), AT_HOME, RegistrationOptions(scale_range=(1.0, 1.0)))
    assert found.scale_change == 1.0
    assert found.mean_m > 1e-4


def test_the_scale_stays_within_its_bounds():
    shrunken = moved(cloud_on(relief()), Similarity(1.6, np.eye(3), np.zeros(3)))
    found = register(shrunken, relief(), AT_HOME, RegistrationOptions(scale_range=(0.8, 1.2)))
    assert 0.8 <= found.scale_change <= 1.2


def test_a_cloud_of_too_few_points_is_refused():
    with pytest.raises(RegistrationError, match="check the mask"):
        register(cloud_on(relief(), 5), relief(), AT_HOME)


def test_a_cloud_that_faces_nothing_is_refused():
    cloud = cloud_on(relief())
    across = np.cross(cloud.normals, [1.0, 0, 0])
    wrong = DepthCloud(cloud.points, across / np.linalg.norm(across, axis=1, keepdims=True))
    with pytest.raises(RegistrationError, match="closer initial position"):
        register(wrong, relief(), AT_HOME, RegistrationOptions(scale_range=(1.0, 1.0)))


def test_landmarks_give_the_initial_similarity():
    points = np.random.default_rng(0).normal(size=(5, 3))
    found = fit_similarity(points, TRUE.apply(points))
    assert found.scale == pytest.approx(1.1)
    np.testing.assert_allclose(found.R, TRUE.R, atol=1e-9)
    np.testing.assert_allclose(found.t, TRUE.t, atol=1e-9)


def test_a_mirrored_set_of_landmarks_gives_a_rotation_still():
    points = np.random.default_rng(0).normal(size=(6, 3))
    assert np.linalg.det(fit_similarity(points, points * [1, 1, -1]).R) == pytest.approx(1)


def test_landmarks_on_a_line_are_refused():
    points = np.outer(np.arange(4), [1.0, 2, 3])
    with pytest.raises(RegistrationError, match="line"):
        fit_similarity(points, points)


CAMERA = pinhole_from_hfov(80, 60, 70.0)


def test_a_cloud_lies_on_the_plane_that_depth_shows_with_normals_to_the_camera():
    v, u = np.mgrid[:60, :80]
    rays = np.stack([u, v, np.ones_like(u)], -1) @ np.linalg.inv(CAMERA.K).T
    normal = np.array([0.2, -0.1, 1.0]) / np.linalg.norm([0.2, -0.1, 1.0])
    cloud = cloud_from_depth(0.05 / (rays @ normal), CAMERA, max_points=500)
    assert len(cloud.points) == 500
    np.testing.assert_allclose(cloud.points @ normal, 0.05)
    np.testing.assert_allclose(cloud.normals, np.broadcast_to(-normal, (500, 3)), atol=1e-6)


def test_rims_jumps_holes_and_masks_are_left_out():
    depth = np.full((60, 80), 0.05)
    depth[:, 40:] = 0.1
    depth[20, 20] = np.nan
    valid = np.ones((60, 80), bool)
    valid[50:] = False
    pixels = cloud_from_depth(depth, CAMERA, valid).points @ CAMERA.K.T
    pixels = np.round(pixels[:, :2] / pixels[:, 2:]).astype(int)
    kept = np.zeros((60, 80), bool)
    kept[pixels[:, 1], pixels[:, 0]] = True
    assert not kept[:, 39:41].any()
    assert not kept[19:22, 20].any()
    assert not kept[50:].any()
    assert not kept[:, :4].any()
    assert not kept[:3].any()
    assert kept[10, 10]
    assert kept[30, 60]


def test_depth_of_another_camera_is_refused():
    with pytest.raises(CameraError, match="80x60"):
        cloud_from_depth(np.ones((10, 10)), CAMERA)
