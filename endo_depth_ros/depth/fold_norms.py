"""Batch norms folded into the convolutions before them, for inference."""

from __future__ import annotations

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from endo_depth_ros.depth.efficientnet_lite import ConvNorm


def fold_norms(network: nn.Module) -> nn.Module:
    """Fold those of every ConvNorm, in place; the same function with fewer steps. The network is in eval mode."""
    for module in network.modules():
        if isinstance(module, ConvNorm) and isinstance(module.norm, nn.BatchNorm2d):
            module.conv = fuse_conv_bn_eval(module.conv, module.norm)
            module.norm = nn.Identity()
    return network
