"""Weights of untrained networks, for tests of what is done with weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from endo_depth_ros.depth.network import DepthNetwork, NetworkConfig
from endo_depth_ros.depth.relief import ReliefDoubt
from endo_depth_ros.depth.weights import WeightsRecord, save_weights

CONFIG = NetworkConfig(decoder_channels=(8, 8, 8, 8, 8))
RECORD = WeightsRecord(
    network=CONFIG,
    input_width=320,
    input_height=256,
    sigma_factor=1.5,
    relief_doubt=ReliefDoubt(0.2, 60.0, 80.0),
    scale_sigma=0.4,
    recipe="training/recipes/none.yaml",
    commit="0000000",
    metrics={"abs_rel": 0.1},
    licence="Apache-2.0",
)


def lively_network(config: NetworkConfig = CONFIG) -> DepthNetwork:
    """An untrained network whose depth varies from pixel to pixel, the same every time; in inference mode."""
    torch.manual_seed(7)
    network = DepthNetwork(config).eval()
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.1)
                module.running_var.uniform_(0.2, 1.0)
        network.head.weight.normal_(0, 6.0)
        for layer in (network.context.bias, network.context.field):
            layer.weight.normal_(0, 0.1)
    return network


def write_weights(path: Path, **changes: object) -> Path:
    """A weights file of an untrained network, with its record changed."""
    save_weights(path, lively_network(), replace(RECORD, **changes))
    return path
