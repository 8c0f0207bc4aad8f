"""Pairs of views show the same, and stay true when they are turned, mirrored, zoomed, swapped and darkened."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from ball import HEIGHT, WIDTH, K, look, pose, write_ball
from hypothesis import given, settings
from hypothesis import strategies as st

from endo_depth_ros.geometry.camera import PINHOLE
from endo_depth_ros.geometry.transforms import invert_transform, transform_points
from endo_depth_ros.pose.rigid_fit import inverse
from training.dataset import DataError, SampleKey, find_sequences
from training.motion.augmentation import Brightness, PairAugmentation, apply_brightness, transform_pair
from training.motion.pairs import ViewPair, draw_pair, measure_overlap
from training.motion.samples import MotionSample, RenderedPairs, both_ways
from training.sequence_file import SUFFIX, View, read_record

SIZE = (80, 64)


def view(index: int) -> View:
    radiance, depth = look(pose(index), 0)
    return View(radiance, np.log(depth), np.zeros(depth.shape, bool), K)


def between(first: int, second: int) -> np.ndarray:
    return invert_transform(pose(first)) @ pose(second)


@pytest.fixture(scope="module")
def ball(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ball")
    for seed in range(3):
        write_ball(folder / f"{seed:07d}{SUFFIX}", seed)
    return folder


def test_views_of_the_same_overlap_and_others_do_not() -> None:
    near, far = (measure_overlap(view(0), view(i), between(0, i)) for i in (1, 4))
    assert near.share > far.share > 0.5
    assert 0 < near.motion < far.motion
    away = np.diag([-1.0, 1, -1, 1])
    assert measure_overlap(view(0), view(1), away).share == 0


def test_near_and_far_pairs_are_drawn(ball: Path) -> None:
    sequences = find_sequences(ball, PINHOLE)
    rng = np.random.default_rng(0)
    pairs = [draw_pair(sequences, 0, 0.25, 0.3, rng) for _ in range(30)]
    motions = [measure_overlap(p.first, p.second, p.T_first_second).motion for p in pairs if p is not None]
    assert len(motions) == 30
    assert min(motions) < 0.07
    assert 0.12 < max(motions) <= 0.25


@given(
    roll=st.floats(-3, 3),
    zoom=st.floats(0.7, 1.6),
    mirror=st.booleans(),
    twist=st.floats(-0.2, 0.2),
    row=st.integers(20, 60),
)
@settings(max_examples=15, deadline=None)
def test_points_meet_after_a_roll_a_mirror_and_a_zoom(
    roll: float, zoom: float, mirror: bool, twist: float, row: int
) -> None:
    A = np.eye(3)
    turn = np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
    A[:2, :2] = zoom * turn @ np.diag([-1.0 if mirror else 1.0, 1.0])
    A[:2, 2] = [37.0, 25.0] - A[:2, :2] @ [WIDTH / 2, HEIGHT / 2]
    pair = ViewPair(view(0), view(2), between(0, 2))
    first, second, T = transform_pair(pair, A, twist, *SIZE)
    pixel, z = np.array([40.0, row, 1.0]), np.exp(float(pair.first.log_depth[row, 40]))
    there = K @ transform_points(invert_transform(pair.T_first_second), (np.linalg.inv(K) @ pixel * z)[None])[0]
    expected = A @ (there / there[2])
    centre = first.K[:2, 2]
    turned = np.array([[np.cos(twist), -np.sin(twist)], [np.sin(twist), np.cos(twist)]])
    expected = turned @ (expected[:2] - centre) + centre
    point = np.linalg.inv(first.K) @ (A @ pixel) * z
    found = second.K @ transform_points(invert_transform(T), point[None])[0]
    np.testing.assert_allclose(found[:2] / found[2], expected, atol=1e-6)
    np.testing.assert_allclose(T[:3, :3] @ T[:3, :3].T, np.eye(3), atol=1e-9)
    assert np.linalg.det(T[:3, :3]) > 0


def test_a_sample_follows_from_its_key(ball: Path) -> None:
    samples = RenderedPairs(find_sequences(ball, PINHOLE), PairAugmentation(), SIZE, seed=1, rank=0)
    first, again, other = samples[SampleKey(3, 1)], samples[SampleKey(3, 1)], samples[SampleKey(3, 0)]
    for a, b in zip(first, again, strict=True):
        assert torch.equal(a, b)
    assert not torch.equal(first.images, other.images)
    assert first.images.shape == (2, 3, 64, 80)
    assert first.inside.shape == first.log_depth.shape == (2, 64, 80)


def test_both_ways_are_trained(ball: Path) -> None:
    samples = RenderedPairs(find_sequences(ball, PINHOLE), PairAugmentation(), SIZE, seed=1, rank=0)
    batch = MotionSample(
        *(torch.stack(values) for values in zip(samples[SampleKey(0, 0)], samples[SampleKey(0, 1)], strict=True))
    )
    both = both_ways(batch)
    assert torch.equal(both.images[2:], batch.images.flip(1))
    torch.testing.assert_close(both.T_first_second[2:] @ batch.T_first_second, torch.eye(4).expand(2, 4, 4))
    torch.testing.assert_close(both_ways(both).brightness[4:6], inverse_brightness(batch.brightness))
    torch.testing.assert_close(inverse(inverse(batch.T_first_second)), batch.T_first_second)


def inverse_brightness(brightness: torch.Tensor) -> torch.Tensor:
    gain, offset = brightness.unbind(1)
    return torch.stack([1 / gain, -offset / gain], 1)


def test_brightness_is_what_it_says() -> None:
    image = np.arange(0, 240, dtype=np.uint8).reshape(1, 80, 3)
    changed = apply_brightness(image, Brightness(0.5, 0.1))
    np.testing.assert_allclose(changed, 0.5 * image + 25.5, atol=0.6)


def test_a_data_set_without_pairs_is_told_so(tmp_path: Path) -> None:
    write_ball(tmp_path / f"0{SUFFIX}", 0, views=1)
    assert len(read_record(tmp_path / f"0{SUFFIX}").views) == 1
    samples = RenderedPairs(find_sequences(tmp_path, PINHOLE), PairAugmentation(), SIZE, seed=1, rank=0)
    with pytest.raises(DataError, match="none has two views of the same"):
        samples[SampleKey(0, 0)]
