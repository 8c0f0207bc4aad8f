"""Rendered sequences: reproducible, and their images, depth, normals and poses belong together."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from endo_depth_ros.geometry.projection import raw_pixel_rays
from endo_depth_ros.geometry.trajectory import Trajectory
from endo_depth_ros.settings import SettingsError, make
from endo_depth_ros.synthetic.deformation import draw_deformation
from endo_depth_ros.synthetic.families import FAMILIES
from endo_depth_ros.synthetic.sequence import ANY, SequenceSettings, choose_family, draw_take, render_sequence

SMALL = SequenceSettings(seed=2, frames=3, rate_hz=2.0, width=160, height=128)


@pytest.fixture(scope="module")
def frames():
    return list(render_sequence(SMALL))


def test_the_same_seed_gives_the_same_bytes(frames):
    again = next(render_sequence(SMALL))
    assert again.frame.image.tobytes() == frames[0].frame.image.tobytes()
    assert again.depth.tobytes() == frames[0].depth.tobytes()
    assert np.array_equal(again.T_world_camera, frames[0].T_world_camera)


def test_another_seed_gives_another_scene(frames):
    other = next(render_sequence(replace(SMALL, seed=3)))
    assert not np.array_equal(other.frame.image, frames[0].frame.image)


def test_frames_keep_the_contract(frames):
    for index, rendered in enumerate(frames):
        assert rendered.frame.image.shape == (128, 160, 3)
        assert rendered.frame.image.dtype == np.uint8
        assert rendered.depth.dtype == np.float32
        assert rendered.frame.stamp_ns == 1_000_000_000 + round(index * 1e9 / 2)
        assert rendered.frame.camera.calibrated
        assert rendered.frame.camera.rectified


@pytest.mark.parametrize("family", list(FAMILIES))
def test_varied_sequences_of_every_family_are_complete_and_reproducible(family):
    settings = replace(SMALL, family=family, varied=True, seed=6, frames=1, width=96, height=80)
    one, again = (next(render_sequence(settings)) for _ in range(2))
    assert one.family == family
    assert one.frame.image.shape == (80, 96, 3)
    assert np.isfinite(one.depth).mean() > 0.99
    assert np.isfinite(one.normals[np.isfinite(one.depth)]).all()
    assert one.field_of_view.any()
    assert {one.instrument.dtype, one.hidden.dtype} == {np.dtype(bool)}
    assert one.frame.image.tobytes() == again.frame.image.tobytes()
    assert one.depth.tobytes() == again.depth.tobytes()


def test_the_seed_draws_the_family_if_it_may():
    assert {choose_family(replace(SMALL, family=ANY, seed=seed)) for seed in range(200)} == set(FAMILIES)
    assert choose_family(SMALL) == "colon"


@pytest.fixture(scope="module")
def takes():
    return [draw_take(replace(SMALL, family="sinus", varied=True, seed=seed)) for seed in (1, 2)]


def test_varied_sequences_differ_in_lens_light_and_sensor(takes):
    one, other = takes
    assert one.camera.K[0, 0] != other.camera.K[0, 0]
    assert one.light != other.light
    assert one.sensor != other.sensor


def test_sources_stay_nearer_to_the_lens_than_the_walls(takes):
    for take in takes:
        assert max(np.hypot(x, y) for x, y, _ in take.light.positions) < take.path.margin


def test_the_camera_keeps_its_distance_from_walls_that_move(takes):
    deformation = draw_deformation(np.random.default_rng(0), 0.02)
    take = replace(takes[0], scene=replace(takes[0].scene, deformation=deformation))
    for time_s in (0.0, 1.3, 7.7):
        T, still = take.pose(time_s), take.path.pose(time_s)
        assert not np.array_equal(T[:3, 3], still[:3, 3])
        moved = take.scene.at(time_s, T).walls.clearance(torch.tensor(T[:3, 3:], dtype=torch.float32))
        rest = take.scene.walls.clearance(torch.tensor(still[:3, 3:], dtype=torch.float32))
        assert moved.item() == pytest.approx(rest.item(), abs=1e-5)


def test_depth_has_the_size_of_an_organ_everywhere_in_the_view(frames):
    depth = frames[0].depth
    assert np.isfinite(depth).all()
    assert 0.004 < depth.min() < depth.max() < 0.2


def test_the_image_shows_tissue_in_the_disc_and_black_around_it(frames):
    image, lit = frames[0].frame.image, frames[0].field_of_view
    assert image[~lit].max() <= 16
    red, green, blue = (float(np.median(image[lit][:, c])) for c in range(3))
    assert red > green > blue > 20
    assert (image[lit].min(axis=1) > 240).mean() < 0.1


def test_depth_of_one_frame_warps_onto_the_next(frames):
    a, b = frames[0], frames[2]
    points = raw_pixel_rays(a.frame.camera) * a.depth[..., None]
    T_b_a = np.linalg.inv(b.T_world_camera) @ a.T_world_camera
    points = points.reshape(-1, 3) @ T_b_a[:3, :3].T + T_b_a[:3, 3]
    pixels = points @ b.frame.camera.K.T
    u, v = (pixels[:, :2] / pixels[:, 2:]).T.astype(np.float32)
    inside = (u > 0) & (u < 159) & (v > 0) & (v < 127)
    seen = cv2.remap(b.depth, u[None], v[None], cv2.INTER_LINEAR)[0]
    error = np.abs(seen - points[:, 2])[inside] / points[inside, 2]
    assert np.linalg.norm(T_b_a[:3, 3]) > 0.001
    assert inside.mean() > 0.7
    assert np.median(error) < 1e-3
    assert (error < 0.01).mean() > 0.9  # the rest is hidden by folds in one of the frames


def test_normals_are_those_of_the_depth(frames):
    depth, camera = frames[0].depth, frames[0].frame.camera
    points = raw_pixel_rays(camera) * depth[..., None]
    across, down = points[1:-1, 2:] - points[1:-1, :-2], points[2:, 1:-1] - points[:-2, 1:-1]
    measured = np.cross(down, across)
    measured /= np.linalg.norm(measured, axis=-1, keepdims=True)
    cosine = (measured * frames[0].normals[1:-1, 1:-1]).sum(-1)
    assert np.median(cosine) > 0.999
    assert (cosine > 0.9).mean() > 0.9


def test_normals_face_the_camera(frames):
    facing = (frames[0].normals * raw_pixel_rays(frames[0].frame.camera)).sum(-1) < 0.02
    assert facing.mean() > 0.995


def test_the_path_is_smooth_and_moves_like_a_hand(frames):
    stamps = np.array([f.frame.stamp_ns for f in frames])
    path = Trajectory(stamps, np.stack([f.T_world_camera for f in frames]))
    steps = np.linalg.norm(np.diff(path.positions, axis=0), axis=1)
    assert 0.0003 < steps.mean() < 0.016
    rotations = path.T_world_camera[:, :3, :3]
    assert rotations @ rotations.transpose(0, 2, 1) == pytest.approx(np.tile(np.eye(3), (3, 1, 1)), abs=1e-12)


def test_far_tissue_is_darker_than_near_tissue(frames):
    depth, lit = frames[0].depth, frames[0].field_of_view
    level = frames[0].frame.image.mean(axis=2)
    near, far = np.quantile(depth[lit], [0.3, 0.9])
    assert np.median(level[lit & (depth < near)]) > 1.3 * np.median(level[lit & (depth > far)])


@pytest.mark.parametrize(("name", "value"), [("frames", 0), ("hfov_deg", 190.0), ("seed", -1), ("family", "kitchen")])
def test_impossible_settings_are_refused(name, value):
    with pytest.raises(SettingsError, match=name):
        make(SequenceSettings, {name: value})
