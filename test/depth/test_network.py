"""The depth network: what it promises before any training."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from network_weights import lively_network

from endo_depth_ros.depth.network import (
    BILINEAR_FRACTION,
    FRACTIONS,
    DepthNetwork,
    LearnedUpsampling,
    NetworkConfig,
    log_focal_ratio,
    logit,
    network_input,
    soft_bound,
    soft_bound_inverse,
)
from endo_depth_ros.depth.shading_cue import CUES, shading_cue

H, W = 64, 96
K = torch.tensor([[[80.0, 0, 40.0], [0, 90.0, 30.0], [0, 0, 1]]])
EVERYWHERE = torch.ones(1, H, W, dtype=torch.bool)


def picture(seed=0):
    return torch.rand(1, 3, H, W, generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def test_every_pixel_of_a_batch_gets_a_depth_and_an_error_within_their_bounds():
    network = lively_network()
    images = torch.cat([picture(0), picture(1)])
    log_depth, log_b = network(images, EVERYWHERE.expand(2, -1, -1), K.expand(2, -1, -1))
    canonical = log_depth - log_focal_ratio(K, network.config.canonical_focal_px)
    assert log_depth.shape == log_b.shape == (2, H, W)
    assert (
        math.log(network.config.min_depth_m) < canonical.min() < canonical.max() < math.log(network.config.max_depth_m)
    )
    assert network.config.min_log_b < log_b.min() < log_b.max() < network.config.max_log_b
    assert log_depth.std() > 0.05


def test_the_network_is_small():
    assert sum(parameter.numel() for parameter in DepthNetwork(NetworkConfig()).parameters()) < 6_000_000


@torch.no_grad()
def test_training_starts_at_a_likely_depth():
    config = NetworkConfig(initial_depth_m=0.04, initial_log_b=-2.0, canonical_focal_px=math.sqrt(80 * 90))
    torch.manual_seed(0)
    log_depth, log_b = DepthNetwork(config).eval()(picture(), EVERYWHERE, K)
    torch.testing.assert_close(log_depth.exp(), torch.full((1, H, W), 0.04), rtol=0.2, atol=0)
    torch.testing.assert_close(log_b, torch.full((1, H, W), -2.0), rtol=0, atol=0.1)


@torch.no_grad()
def test_what_lies_outside_the_scope_is_not_scenery():
    network = lively_network()
    inside = EVERYWHERE.clone()
    inside[:, :, : W // 2] = False
    painted = picture()
    painted[:, :, :, : W // 2] = torch.rand(3, H, W // 2)
    for plain, other in zip(network(picture(), inside, K), network(painted, inside, K), strict=True):
        torch.testing.assert_close(plain, other)


@torch.no_grad()
def test_the_rim_of_the_scope_is_seen():
    network = lively_network()
    inside = EVERYWHERE.clone()
    inside[:, :, : W // 2] = False
    black = torch.full_like(picture(), 127 / 255)  # zero after normalisation, inside or not
    assert not torch.allclose(network(black, inside, K)[0], network(black, EVERYWHERE, K)[0])


def test_gradients_reach_every_parameter():
    network = lively_network().train()
    log_depth, log_b = network(torch.cat([picture(0), picture(1)]), EVERYWHERE.expand(2, -1, -1), K.expand(2, -1, -1))
    (log_depth.square().mean() + log_b.square().mean()).backward()
    assert [name for name, each in network.named_parameters() if each.grad is None or not each.grad.abs().sum()] == []


@torch.no_grad()
def test_bfloat16_changes_depth_by_less_than_five_percent():
    network = lively_network().to(memory_format=torch.channels_last)
    exact, _ = network(picture(), EVERYWHERE, K)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough, _ = network(picture(), EVERYWHERE, K)
    assert rough.dtype == torch.float32
    assert (rough - exact).abs().max() < 0.05


def test_depth_of_a_longer_lens_is_larger_by_the_ratio_of_focal_lengths():
    ratio = log_focal_ratio(torch.diag(torch.tensor([2.0, 2, 1])) @ K, 200.0) - log_focal_ratio(K, 200.0)
    assert float(ratio) == pytest.approx(math.log(2))
    assert float(log_focal_ratio(200 * torch.eye(3)[None], 200.0)) == pytest.approx(0)


def test_the_input_is_colour_mask_places_and_cues():
    inside = EVERYWHERE.clone()
    inside[0, 5, 7] = False
    x = network_input(torch.ones(1, 3, H, W), inside, K)
    assert x.shape == (1, 8, H, W)
    assert x[0, :4, 5, 7].tolist() == [0, 0, 0, 0]
    torch.testing.assert_close(x[0, :6, 5, 8], torch.tensor([1, 1, 1, 1, (8 - 40) / 80, (5 - 30) / 90]))
    # White all over: what is at the rim is farther by the inverse-square law, so it must be nearer in z.
    assert x[0, 6, 30, 40] > 0 > x[0, 6, 0, 0]


@torch.no_grad()
def test_the_context_adds_a_smooth_field_to_log_depth():
    network = DepthNetwork(NetworkConfig()).eval()
    flat, _ = network(picture(), EVERYWHERE, K)
    network.context.field.bias[:] = torch.tensor([0.2, 0, 0, 0, -0.1, 0, 0])
    tilted, _ = network(picture(), EVERYWHERE, K)
    x, y = network_input(picture(), EVERYWHERE, K)[:, 4:6].unbind(1)
    # Bounds bend what lies far from their middle a little; the last rows and columns are half a pixel from the next.
    torch.testing.assert_close(
        (tilted - flat)[:, 1:-1, 1:-1], (0.2 * x - 0.1 * y * y)[:, 1:-1, 1:-1], rtol=0.05, atol=2e-3
    )


@torch.no_grad()
@pytest.mark.parametrize("cue", range(CUES))
def test_the_head_says_how_much_of_each_shading_cue_a_pixel_takes_over(cue):
    network = DepthNetwork(NetworkConfig()).eval()
    images = 0.2 + 0.6 * F.interpolate(picture()[..., :4, :6], size=(H, W), mode="bilinear")
    without, _ = network(images, EVERYWHERE, K)
    network.head.bias[cue - CUES] = 0.5
    with_half, _ = network(images, EVERYWHERE, K)
    added = F.avg_pool2d(with_half - without, 8)
    torch.testing.assert_close(added, 0.5 * shading_cue(images, EVERYWHERE, K)[:, cue], rtol=0.1, atol=0.03)


def test_upsampling_starts_as_bilinear_interpolation():
    maps = torch.rand(2, 2, 9, 7)
    logits = torch.full((2, FRACTIONS, 9, 7), logit(BILINEAR_FRACTION))
    bilinear = F.interpolate(maps, scale_factor=2.0, mode="bilinear", align_corners=False)
    torch.testing.assert_close(LearnedUpsampling()(maps, logits), bilinear)


def test_upsampling_can_keep_an_edge_sharp():
    maps = torch.zeros(1, 2, 4, 4)
    maps[..., 2:] = 1
    nearest = F.interpolate(maps, scale_factor=2.0, mode="nearest")
    torch.testing.assert_close(LearnedUpsampling()(maps, torch.full((1, FRACTIONS, 4, 4), -30.0)), nearest)


def test_upsampling_can_move_an_edge_by_a_pixel():
    maps = torch.zeros(1, 2, 4, 4)
    maps[..., 2:] = 1
    logits = torch.full((1, FRACTIONS, 4, 4), -30.0)
    logits[:, 1:4:2, :, 1] = 30.0  # the right subpixels of column 1 take the value to their right
    expected = F.interpolate(maps, scale_factor=2.0, mode="nearest")
    expected[..., 3] = 1
    torch.testing.assert_close(LearnedUpsampling()(maps, logits), expected)


@given(st.floats(-9.9, 4.9))
def test_soft_bounds_have_an_inverse(value):
    raw = torch.tensor(soft_bound_inverse(value, -10, 5), dtype=torch.float64)
    assert float(soft_bound(raw, -10, 5)) == pytest.approx(value, abs=1e-6)


@given(st.floats(-1e6, 1e6))
def test_soft_bounds_hold(raw):
    assert -10 <= float(soft_bound(torch.tensor(raw), -10, 5)) <= 5
