"""The encoder, and the names of the published ImageNet weights."""

import pytest
import torch
import torch.nn.functional as F

from endo_depth_ros.depth.efficientnet_lite import (
    IMAGENET_BLOCK_NORMS,
    IMAGENET_NAMES,
    PYRAMID_CHANNELS,
    ConvNorm,
    EfficientNetLite0,
    imagenet_encoder_state,
)

# 4,652,008 as published, less the last convolution, its norm and the classifier.
ENCODER_PARAMETERS = 4_652_008 - 1280 * 320 - 2 * 1280 - 1281 * 1000


def published_state():
    """An encoder's state under the published names, with a classifier as the package has it."""
    torch.manual_seed(1)
    layers = {ours: theirs for theirs, ours in {**IMAGENET_NAMES, **IMAGENET_BLOCK_NORMS}.items()}
    layers["stem.norm"] = "_bn0"
    state = {
        "_conv_head.weight": torch.rand(1280, 320, 1, 1),
        "_bn1.weight": torch.rand(1280),
        "_fc.bias": torch.rand(9),
    }
    for name, tensor in EfficientNetLite0(3).state_dict().items():
        *place, module, layer, kind = name.split(".")
        prefix = ["_blocks", place[1]] if place else []
        state[".".join([*prefix, layers[f"{module}.{layer}"], kind])] = tensor
    return state


def test_the_pyramid_has_five_levels():
    pyramid = EfficientNetLite0(6)(torch.rand(1, 6, 64, 96))
    assert [tuple(feature.shape) for feature in pyramid] == [
        (1, channels, 64 >> level, 96 >> level) for level, channels in enumerate(PYRAMID_CHANNELS, 1)
    ]


def test_the_encoder_is_efficientnet_lite0():
    assert sum(parameter.numel() for parameter in EfficientNetLite0(3).parameters()) == ENCODER_PARAMETERS


def test_imagenet_weights_fill_the_encoder_and_other_channels_start_silent():
    plain, wide = EfficientNetLite0(3).eval(), EfficientNetLite0(6).eval()
    plain.load_state_dict(imagenet_encoder_state(published_state(), 3))
    wide.load_state_dict(imagenet_encoder_state(published_state(), 6))
    x = torch.rand(1, 6, 32, 64)
    for of_rgb, of_all in zip(plain(x[:, :3]), wide(x), strict=True):
        torch.testing.assert_close(of_rgb, of_all)


def test_an_unknown_name_is_an_error():
    with pytest.raises(KeyError, match="_squeeze"):
        imagenet_encoder_state({**published_state(), "_squeeze.weight": torch.rand(1)}, 6)


@pytest.mark.parametrize(("kernel", "before", "after"), [(3, 0, 1), (5, 1, 2)])
def test_strided_convolutions_pad_as_tensorflow_does(kernel, before, after):
    layer = ConvNorm(2, 4, kernel, stride=2).eval()
    x = torch.rand(1, 2, 16, 12)
    same = F.conv2d(F.pad(x, (before, after, before, after)), layer.conv.weight, stride=2)
    torch.testing.assert_close(layer.conv(F.pad(x, layer.uneven)), same)
    assert same.shape[-2:] == (8, 6)
