"""What brightness says of depth, smooth and up to scale: inputs of the depth network."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from endo_depth_ros.depth.shading import ray_lengths

STRIDE = 8
# Of the brightest channel, in which tissue is most even, and of the second, which tells more where that one is full.
CUES = 2
GAMMA = 2.2
# Linear intensity below which black level and noise rule, and the least share of a cell in the field of view.
FLOOR, LEAST_SHARE = 1e-3, 0.05


def shading_cue(images: Tensor, inside: Tensor, K: Tensor) -> Tensor:
    """Log depth by the inverse-square law (shading.py) about its mean, float32 [B, CUES, H / STRIDE, W / STRIDE].

    Of the brightest and the second brightest channel of images [B, 3, H, W], RGB in [0, 1], in cells of STRIDE pixels,
    each averaged with its neighbours; 0 where inside [B, H, W] holds none. K: [B, 3, 3], of the images' pixels.
    Exposure cancels.
    """
    mask = inside.float()[:, None]
    red, green, blue = images.float().unbind(1)
    low, high = torch.minimum(red, green), torch.maximum(red, green)
    channels = torch.stack([torch.maximum(high, blue), torch.maximum(low, torch.minimum(high, blue))], 1)
    light = channels**GAMMA * mask
    total, share = _pool(light), _pool(mask)
    seen = (share > LEAST_SHARE).float()
    distance = -0.5 * torch.log(total / share.clamp_min(FLOOR) + FLOOR)
    cells = K.clone()
    cells[:, :2, 2] -= (STRIDE - 1) / 2
    cells[:, :2] /= STRIDE
    log_depth = distance - torch.log(ray_lengths(cells, *distance.shape[-2:]))[:, None]
    mean = (log_depth * seen).sum((2, 3), keepdim=True) / seen.sum((2, 3), keepdim=True).clamp_min(1.0)
    return (log_depth - mean) * seen


def _pool(maps: Tensor) -> Tensor:
    return F.avg_pool2d(F.avg_pool2d(maps, STRIDE), 3, 1, 1)
