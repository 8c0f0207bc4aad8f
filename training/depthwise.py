"""Depthwise convolution whose gradients take the fast way on CPUs.

In bfloat16, oneDNN's gradient of 5x5 depthwise kernels, and the gradient of the input where the stride is 2, are three
to thirty times slower than in float32, and took half of a training step. There the backward pass computes in float32.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

FAST_KERNEL = 3  # up to this size, bfloat16 is fast for the kernel's gradient


class _Depthwise(torch.autograd.Function):
    """conv2d with groups = channels; the backward pass chooses its precision."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.stride, ctx.padding = stride, padding
        return torch.conv2d(x, weight, None, stride, padding, 1, len(weight))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        x, weight = ctx.saved_tensors
        slow_input, slow_kernel = ctx.stride > 1, weight.shape[-1] > FAST_KERNEL
        for_x = _gradients(gradient, x, weight, ctx, slow_input, (True, False))[0]
        for_weight = _gradients(gradient, x, weight, ctx, slow_kernel, (False, True))[1]
        return for_x, for_weight, None, None


def _gradients(
    gradient: Tensor, x: Tensor, weight: Tensor, ctx: Any, slow: bool, wanted: tuple[bool, bool]
) -> tuple[Tensor, Tensor]:
    """Gradients of x and weight; in float32 where bfloat16 is slow."""
    stride, padding, kind = [ctx.stride] * 2, [ctx.padding] * 2, x.dtype
    tensors = (gradient.float(), x.float(), weight.float()) if slow else (gradient, x, weight)
    for_x, for_weight, _ = torch.ops.aten.convolution_backward(
        *tensors, None, stride, padding, [1, 1], False, [0, 0], len(weight), [*wanted, False]
    )
    return (for_x.to(kind) if wanted[0] else for_x, for_weight.to(kind) if wanted[1] else for_weight)


class DepthwiseConv2d(nn.Conv2d):
    """An nn.Conv2d with groups = channels, of the same parameters and results."""

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] to [B, C, H / stride, W / stride]."""
        if not (x.device.type == "cpu" and torch.is_autocast_enabled("cpu") and torch.is_grad_enabled()):
            return super().forward(x)
        kind = torch.get_autocast_dtype("cpu")
        stride, padding = int(self.stride[0]), int(self.padding[0])
        with torch.autocast("cpu", enabled=False):
            return _Depthwise.apply(x.to(kind), self.weight.to(kind), stride, padding)


def speed_up_depthwise(network: nn.Module) -> None:
    """Replace the network's depthwise convolutions, in place; names and parameters stay."""
    for module in network.modules():
        for name, child in module.named_children():
            if type(child) is nn.Conv2d and child.groups == child.in_channels == child.out_channels > 1:
                setattr(module, name, _replacement(child))


def _replacement(conv: nn.Conv2d) -> DepthwiseConv2d:
    kernel, stride, padding = int(conv.kernel_size[0]), int(conv.stride[0]), int(conv.padding[0])
    new = DepthwiseConv2d(conv.in_channels, conv.out_channels, kernel, stride, padding, groups=conv.groups, bias=False)
    new.weight = conv.weight
    return new
