"""bfloat16 where it costs hardly any accuracy, for CPUs that multiply it faster than float32."""

from __future__ import annotations

import torch
from torch import nn

from endo_depth_ros.depth.efficientnet_lite import EfficientNetLite0
from endo_depth_ros.depth.fold_norms import fold_norms
from endo_depth_ros.depth.network import PyramidDecoder

# The first blocks' filters take differences of neighbours and amplify them, and their 8 bits of precision with them:
# 0.6 of the 0.7 % that depth would change by is the very first one's.
FIRST_BLOCK = 3


def to_bfloat16(network: nn.Module) -> nn.Module:
    """Turn the decoder and all but the first of the encoder, in place; the network is in eval mode.

    Norms are folded before, in float32. Inputs, outputs, stem, heads and what the image says as a whole stay float32.
    """
    for module in fold_norms(network).modules():
        if isinstance(module, EfficientNetLite0):
            module.blocks[FIRST_BLOCK:].to(torch.bfloat16)
        elif isinstance(module, PyramidDecoder):
            module.to(torch.bfloat16)
    return network
