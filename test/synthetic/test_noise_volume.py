"""Noise without seams, and nets of cell borders."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from endo_depth_ros.synthetic.noise_volume import CHANNELS, NoiseVolume, cell_borders, smooth_noise

VALUES = np.random.default_rng(0).standard_normal((2, 8, 8, 8)).astype(np.float32)


@pytest.fixture(scope="module")
def borders():
    return cell_borders(np.random.default_rng(1), size=24, cells=4)


@given(index=st.tuples(*[st.integers(-16, 16)] * 3))
def test_voxels_are_met_exactly_and_repeat(index):
    x, y, z = index
    got = NoiseVolume(VALUES, "cpu").at(torch.tensor([index], dtype=torch.float32) / 8)[:, 0]
    torch.testing.assert_close(got, torch.from_numpy(VALUES[:, z % 8, y % 8, x % 8]), rtol=0, atol=1e-4)


def test_between_voxels_noise_is_their_mean():
    got = NoiseVolume(VALUES, "cpu").at(torch.tensor([[0.5 / 8, 0, 0], [7.5 / 8, 0, 0]]))
    expected = np.stack([VALUES[:, 0, 0, 0] + VALUES[:, 0, 0, 1], VALUES[:, 0, 0, 7] + VALUES[:, 0, 0, 0]], axis=1) / 2
    torch.testing.assert_close(got, torch.from_numpy(expected), rtol=0, atol=1e-4)


def test_smooth_noise_is_standard_and_without_seam():
    noise = smooth_noise(np.random.default_rng(2), size=32)
    assert noise.shape == (CHANNELS, 32, 32, 32)
    np.testing.assert_allclose(noise.mean(axis=(1, 2, 3)), 0, atol=1e-3)
    np.testing.assert_allclose(noise.std(axis=(1, 2, 3)), 1, rtol=1e-3)
    steps = np.abs(np.diff(noise, axis=3)).mean()
    seam = np.abs(noise[..., 0] - noise[..., -1]).mean()
    assert 0.7 * steps < seam < 1.4 * steps


def test_borders_are_signed_distances(borders):
    assert borders.shape == (CHANNELS, 24, 24, 24)
    steps = np.abs(np.diff(borders, axis=3, append=borders[..., :1]))
    assert steps.max() <= 2 * 4 / 24 + 1e-5
    for channel in borders:
        assert 0.15 < (channel > 0).mean() < 0.85


def test_pairs_of_channels_share_their_cells(borders):
    near = np.abs(borders[0]) < 0.02
    shared, strange = np.abs(borders[1])[near], np.abs(borders[2])[near]
    assert (shared < 0.03).mean() > 2 * (strange < 0.03).mean()
