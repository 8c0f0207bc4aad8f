"""Droplets on the lens."""

import numpy as np
import pytest

from endo_depth_ros.synthetic.droplets import Droplet, add_droplet, draw_droplets

STRONG = Droplet(0.1, -0.05, 0.12, power=0.8, softness=0.1, rim=0.5, highlight_deg=45.0)


def ramp():
    """Light that grows to the right."""
    light = np.empty((256, 320, 3), np.float32)
    light[:] = np.linspace(0.1, 0.2, 320, dtype=np.float32)[None, :, None]
    return light


def disc(droplet):
    y, x = np.mgrid[:256, :320]
    x, y = (x - 159.5) / 256 - droplet.x, (y - 127.5) / 256 - droplet.y
    return np.hypot(x, y / droplet.squeeze) <= droplet.radius


def drop(droplet):
    light, hidden = ramp(), np.zeros((256, 320), bool)
    add_droplet(light, hidden, droplet)
    return light, hidden


def test_a_droplet_changes_nothing_outside_its_disc():
    light, hidden = drop(STRONG)
    outside = ~disc(STRONG)
    assert np.array_equal(light[outside], ramp()[outside])
    assert not hidden[outside].any()
    assert hidden[disc(STRONG)].mean() > 0.85


def test_a_strong_droplet_shows_the_view_reversed():
    light, _ = drop(Droplet(0.0, 0.0, 0.15, power=0.9, softness=0.05, rim=0.0, highlight_deg=90.0))
    assert light[128, 140, 1] > light[128, 180, 1]


def test_a_weak_droplet_hides_no_depth():
    _, hidden = drop(Droplet(0.0, 0.0, 0.15, power=0.1, softness=0.3, rim=0.2, highlight_deg=0.0))
    assert not hidden.any()


@pytest.mark.parametrize("x", [-0.63, 0.63, 3.0])
def test_droplets_over_the_edge_of_the_frame_are_cut(x):
    light, _ = drop(Droplet(x, 0.49, 0.1, power=0.5, softness=0.2, rim=0.2, highlight_deg=0.0))
    assert np.isfinite(light).all()


def test_droplets_are_drawn_about_their_radius():
    droplets = draw_droplets(np.random.default_rng(0), 40, 0.05)
    assert len(droplets) == 40
    assert all(0.025 <= droplet.radius <= 0.075 for droplet in droplets)
    assert len({droplet.opaque for droplet in droplets}) == 2
