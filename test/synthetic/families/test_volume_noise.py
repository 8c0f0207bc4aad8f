"""Noise in space has the size, the smoothness and the period that it says."""

import numpy as np
import pytest
import torch

from endo_depth_ros.synthetic.families.volume_noise import VolumeNoise

CELL = 0.01
NOISE = VolumeNoise(np.random.default_rng(0), 2)
POINTS = torch.tensor(np.random.default_rng(1).uniform(-0.2, 0.2, (3, 20000)), dtype=torch.float32)


def test_each_channel_has_mean_0_and_about_deviation_1():
    values = NOISE.at(POINTS, CELL)
    assert values.shape == (2, 20000)
    assert values.mean(dim=1).numpy() == pytest.approx([0, 0], abs=0.1)
    assert values.std(dim=1).numpy() == pytest.approx([1, 1], abs=0.12)


def test_channels_are_independent():
    assert abs(np.corrcoef(NOISE.at(POINTS, CELL).numpy())[0, 1]) < 0.15


def test_noise_varies_over_a_cell_but_not_over_a_tenth_of_it():
    step = torch.tensor([[1.0], [0], [0]])
    values = NOISE.at(POINTS, CELL)
    assert (NOISE.at(POINTS + 0.1 * CELL * step, CELL) - values).std() < 0.2
    assert (NOISE.at(POINTS + 1.5 * CELL * step, CELL) - values).std() > 0.9


def test_noise_has_no_seam():
    line = torch.zeros(3, 4000)
    line[0] = torch.linspace(0, 10 * CELL, 4000)
    assert NOISE.at(line, CELL).diff(dim=1).abs().max() < 0.02
