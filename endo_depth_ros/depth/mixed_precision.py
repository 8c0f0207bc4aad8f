"""bfloat16 where it costs little accuracy, for CPUs that multiply it faster than float32."""

from __future__ import annotations

import torch
from torch import nn

from endo_depth_ros.depth.efficientnet_lite import EfficientNetLite0
from endo_depth_ros.depth.fold_norms import fold_norms
from endo_depth_ros.depth.network import PyramidDecoder

# The encoder's first filter takes differences of neighbours and amplifies them, rounding and all: without it depth
# changes by half as much. The two after it are next, and small (docs/models.md).
FLOAT32_BLOCKS = 3


def to_bfloat16(network: nn.Module) -> nn.Module:
    """Turn the decoder and the encoder's blocks after the first FLOAT32_BLOCKS, in place; the network is in eval mode.

    Norms are folded before, in float32. Inputs, outputs, stem, heads and what the image says as a whole stay float32.
    """
    for module in fold_norms(network).modules():
        if isinstance(module, EfficientNetLite0):
            module.blocks[FLOAT32_BLOCKS:].to(torch.bfloat16)
        elif isinstance(module, PyramidDecoder):
            module.to(torch.bfloat16)
    return network
