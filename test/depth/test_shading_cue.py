"""The shading cue: the inverse-square law, read off a picture."""

import math

import torch

from endo_depth_ros.depth.shading import ray_lengths
from endo_depth_ros.depth.shading_cue import GAMMA, STRIDE, shading_cue

H, W = 64, 96
K = torch.tensor([[[80.0, 0, 40.0], [0, 90.0, 30.0], [0, 0, 1]]])
EVERYWHERE = torch.ones(1, H, W, dtype=torch.bool)


def lit(z, exposure=0.5):
    """The picture of tissue at depth z [H, W] that sends the same share of a light at the camera back everywhere."""
    distance = z * ray_lengths(K, H, W)
    return (exposure / distance.square()).pow(1 / GAMMA)[:, None].expand(-1, 3, -1, -1)


def test_a_wall_across_the_view_is_flat():
    assert shading_cue(lit(torch.ones(1, H, W)), EVERYWHERE, K).abs().max() < 0.06


def test_twice_as_far_is_log_two_more_whatever_the_exposure():
    z = torch.ones(1, H, W)
    z[:, :, W // 2 :] = 2.0
    for exposure in (0.3, 0.9):
        cue = shading_cue(lit(z, exposure), EVERYWHERE, K)
        step = cue[..., -2].mean() - cue[..., 1].mean()
        assert abs(float(step) - math.log(2)) < 0.03
        assert abs(float(cue.mean())) < 1e-5


def test_nothing_is_said_outside_the_field_of_view_and_black_is_finite():
    inside = EVERYWHERE.clone()
    inside[:, :, : 4 * STRIDE] = False
    cue = shading_cue(torch.zeros(1, 3, H, W), inside, K)
    assert not cue[..., :3].any()
    assert torch.isfinite(cue).all()
    nothing = shading_cue(torch.zeros(1, 3, H, W), torch.zeros_like(inside), K)
    assert not nothing.any()
