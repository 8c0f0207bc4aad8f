"""Vessels cover the wall along the borders of cells."""

import numpy as np
import torch

from endo_depth_ros.synthetic.noise_volume import NoiseVolume
from endo_depth_ros.synthetic.vessels import BORDER_CELLS, vessel_opacity


def plane_borders():
    """Two splits of one period with borders at x = 1/4 and 3/4; values are twice the distance in cells."""
    x = np.arange(32) / 32
    distance = 2 * BORDER_CELLS * (0.25 - np.abs(x - 0.5))
    return NoiseVolume(np.broadcast_to(distance, (2, 32, 32, 32)).astype(np.float32), "cpu")


def opacity_across(half_width, edge=0.5, warp=0.0):
    """Opacity over places from 0.5 meshes before the border to 0.5 behind it, [101]."""
    places = torch.zeros(101, 3)
    places[:, 0] = torch.linspace(-0.5, 0.5, 101) + 0.25 * BORDER_CELLS
    offset = torch.zeros(3, 101)
    offset[0] = warp
    return vessel_opacity(plane_borders(), places, offset, torch.full((101,), half_width), edge)


def test_vessel_is_as_wide_as_asked_for():
    opacity = opacity_across(0.1, edge=0.2)
    assert opacity[50] == 1
    covered = float((opacity > 0.5).float().mean())
    assert 0.18 < covered < 0.26
    assert opacity[0] == opacity[-1] == 0


def test_no_vessel_where_its_width_has_tapered_off():
    assert (opacity_across(0.0) == 0).all()
    assert (opacity_across(-0.1) == 0).all()


def test_soft_edges_fall_off_more_slowly():
    hard, soft = (((o := opacity_across(0.1, edge)) > 0.02) & (o < 0.98) for edge in (0.1, 1.0))
    assert soft.sum() > 3 * hard.sum()


def test_warp_moves_the_vessel():
    assert int(opacity_across(0.05, warp=0.2).argmax()) < int(opacity_across(0.05).argmax()) - 10
