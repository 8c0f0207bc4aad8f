"""The fast gradients of depthwise convolutions are the gradients."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from training.depthwise import DepthwiseConv2d, speed_up_depthwise


@pytest.mark.parametrize(("kernel", "stride", "padding"), [(3, 1, 1), (5, 1, 2), (3, 2, 0), (5, 2, 0)])
def test_gradients_are_those_of_a_convolution(kernel: int, stride: int, padding: int) -> None:
    torch.manual_seed(0)
    plain = nn.Sequential(nn.Conv2d(8, 8, kernel, stride, padding, groups=8, bias=False))
    fast = copy.deepcopy(plain)
    speed_up_depthwise(fast)
    assert isinstance(fast[0], DepthwiseConv2d)
    x = torch.randn(2, 8, 17, 21).contiguous(memory_format=torch.channels_last)
    gradients = []
    for network, is_bf16 in ((plain, False), (fast, True)):
        network.zero_grad()
        given = x.clone().requires_grad_()
        with torch.autocast("cpu", torch.bfloat16, enabled=is_bf16):
            out = network(given)
        (out.float() * torch.linspace(-1, 1, out.numel()).view_as(out)).sum().backward()
        gradients.append((given.grad, network[0].weight.grad))
    for exact, rounded in zip(*gradients, strict=True):
        assert exact is not None
        assert rounded is not None
        assert float((rounded - exact).norm() / exact.norm()) < 0.02


def test_names_and_parameters_stay() -> None:
    network = nn.Sequential(nn.Conv2d(4, 8, 1), nn.Conv2d(8, 8, 3, groups=8, bias=False))
    before = {name: id(parameter) for name, parameter in network.named_parameters()}
    speed_up_depthwise(network)
    assert {name: id(parameter) for name, parameter in network.named_parameters()} == before
    assert type(network[0]) is nn.Conv2d


def test_outside_training_it_is_the_plain_convolution() -> None:
    plain = nn.Conv2d(8, 8, 3, groups=8, bias=False)
    fast = nn.Sequential(copy.deepcopy(plain))
    speed_up_depthwise(fast)
    x = torch.randn(1, 8, 9, 9)
    with torch.no_grad():
        torch.testing.assert_close(fast(x), plain(x), rtol=0, atol=0)
