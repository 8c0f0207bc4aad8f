"""The shading cues: the inverse-square law, read off a picture."""

import math

import torch

from endo_depth_ros.depth.shading import ray_lengths
from endo_depth_ros.depth.shading_cue import CUES, GAMMA, STRIDE, shading_cue

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


def test_where_the_brightest_channel_is_full_the_second_still_tells():
    z = torch.ones(1, H, W)
    z[:, :, W // 2 :] = 1.4
    images = lit(z, exposure=1.0) * torch.tensor([2.0, 0.7, 0.5])[None, :, None, None]
    brightest, second = shading_cue(images.clamp_max(1), EVERYWHERE, K)[0]
    assert second.shape == (H // STRIDE, W // STRIDE)
    assert float((second[:, -2] - second[:, 1]).mean()) > math.log(1.4) - 0.03
    assert float((brightest[:, -2] - brightest[:, 1]).mean()) < 0.7 * math.log(1.4)


def test_the_order_of_the_colours_means_nothing():
    images = lit(torch.ones(1, H, W)) * torch.tensor([0.9, 0.5, 0.3])[None, :, None, None]
    cue = shading_cue(images, EVERYWHERE, K)
    assert cue.shape == (1, CUES, H // STRIDE, W // STRIDE)
    torch.testing.assert_close(shading_cue(images[:, [2, 0, 1]], EVERYWHERE, K), cue)


def test_nothing_is_said_outside_the_field_of_view_and_black_is_finite():
    inside = EVERYWHERE.clone()
    inside[:, :, : 4 * STRIDE] = False
    cue = shading_cue(torch.zeros(1, 3, H, W), inside, K)
    assert not cue[..., :3].any()
    assert torch.isfinite(cue).all()
    nothing = shading_cue(torch.zeros(1, 3, H, W), torch.zeros_like(inside), K)
    assert not nothing.any()
