"""Cameras keep out of tissue in every family, move as hands do, and look about."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
import torch

from endo_depth_ros.synthetic.anatomy import DOWN
from endo_depth_ros.synthetic.camera_path import CameraPath, CameraPathSettings
from endo_depth_ros.synthetic.families import FAMILIES, LAPAROSCOPIC
from endo_depth_ros.synthetic.voxel_field import bake

SEED = 3
RATE_HZ = 30


@lru_cache
def baked(family):
    anatomy = FAMILIES.get(family)(np.random.default_rng(SEED))
    return anatomy, bake(replace(anatomy, voxel=1.5 * anatomy.voxel))


def path(family, seed=SEED, **settings):
    anatomy, field = baked(family)
    rng = np.random.default_rng(seed)
    return CameraPath(anatomy.way, field.clearance, rng, CameraPathSettings(**settings), anatomy.trocar)


def poses(camera_path, seconds):
    return np.array([camera_path.pose(index / RATE_HZ) for index in range(int(seconds * RATE_HZ))])


@pytest.mark.parametrize("family", list(FAMILIES))
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_no_camera_is_ever_in_tissue(family, seed):
    positions = poses(path(family, seed), 60)[:, :3, 3]
    clearance = baked(family)[1].clearance(torch.tensor(positions.T, dtype=torch.float32))
    assert clearance.min() > 2e-4


@pytest.mark.parametrize("family", ["colon", "sinus", "abdomen", "surgical_field"])
def test_video_is_continuous(family):
    T = poses(path(family), 40)
    steps = np.linalg.norm(np.diff(T[:, :3, 3], axis=0), axis=1)
    turns = np.degrees(np.arccos(np.clip((np.einsum("nij,nij->n", T[1:, :3, :3], T[:-1, :3, :3]) - 1) / 2, -1, 1)))
    assert steps.max() < 0.006
    assert turns.max() < 20
    assert np.median(steps) * RATE_HZ < 0.04


def test_poses_are_rotations():
    for T in poses(path("colon"), 1):
        assert T[:3, :3].T @ T[:3, :3] == pytest.approx(np.eye(3), abs=1e-9)
        assert np.linalg.det(T[:3, :3]) == pytest.approx(1)
        assert T[3].tolist() == [0, 0, 0, 1]


def test_the_same_seed_gives_the_same_path_and_another_one_another():
    first, again, other = path("airway", 5), path("airway", 5), path("airway", 6)
    assert np.array_equal(first.pose(7.3), again.pose(7.3))
    assert not np.allclose(first.pose(7.3), other.pose(7.3), atol=1e-3)


def test_the_camera_travels_and_looks_about():
    T = poses(path("colon"), 60)
    assert np.ptp(T[:, :3, 3], axis=0).max() > 0.015
    assert (T[:, :3, 2] @ T[0, :3, 2]).min() < 0.8


def test_rolls_differ_between_paths():
    rolls = [np.degrees(np.arctan2(*path("colon", seed).pose(0.0)[1, :2])) for seed in range(6)]
    assert np.ptp(rolls) > 90


def test_after_its_duration_the_path_is_gone_back():
    there_and_back = path("colon", duration_s=10.0, tremor=0.0, tremor_deg=0.0)
    assert there_and_back.pose(13.0) == pytest.approx(there_and_back.pose(7.0), abs=1e-9)


def test_pace_makes_the_same_way_in_less_time():
    slow = path("colon", tremor=0.0, tremor_deg=0.0)
    fast = path("colon", tremor=0.0, tremor_deg=0.0, pace=4.0)
    assert fast.pose(5.0) == pytest.approx(slow.pose(20.0), abs=1e-9)


def test_hands_shake_by_a_fraction_of_a_millimetre():
    settings = {"tremor": 2e-4, "tremor_deg": 0.5}
    shaken = poses(path("colon", **settings), 10)[:, :3, 3]
    steady = poses(path("colon", tremor=0.0, tremor_deg=0.0), 10)[:, :3, 3]
    deviation = (shaken - steady).std(axis=0)
    assert (deviation > 5e-6).all()
    assert (deviation < 4e-4).all()


def test_a_laparoscope_looks_away_from_its_trocar():
    anatomy, _ = baked("abdomen")
    T = poses(path("abdomen"), 60)
    shaft = T[:, :3, 3] - anatomy.trocar
    cosine = (T[:, :3, 2] * shaft).sum(axis=1) / np.linalg.norm(shaft, axis=1)
    assert np.median(cosine) > np.cos(np.radians(50))


@pytest.mark.parametrize("family", LAPAROSCOPIC)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_laparoscope_is_held_upright(family, seed):
    down = poses(path(family, seed), 60)[:, :3, :3].transpose(0, 2, 1) @ DOWN
    level = np.linalg.norm(down[:, :2], axis=1) > 0.5
    askew = np.degrees(np.abs(np.arctan2(down[level, 0], down[level, 1])))
    assert np.median(askew) < 30
    assert np.quantile(askew, 0.8) < 45


def test_sights_are_looked_at_by_a_flexible_scope():
    anatomy, field = baked("sinus")

    def mean_cosine(sights):
        rng = np.random.default_rng(0)
        T = poses(CameraPath(anatomy.way, field.clearance, rng, sights=sights), 60)
        towards = anatomy.sights[0] - T[:, :3, 3]
        return ((towards * T[:, :3, 2]).sum(axis=1) / np.linalg.norm(towards, axis=1)).mean()

    assert mean_cosine(anatomy.sights) > mean_cosine(None)
