"""The depth network: colour, field of view and camera in, log depth in metres and its log scale of error out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from endo_depth_ros.depth.efficientnet_lite import PYRAMID_CHANNELS, ConvNorm, EfficientNetLite0, as_weights
from endo_depth_ros.depth.shading_cue import CUES, STRIDE, shading_cue

SIZE_MULTIPLE = 32  # height and width of the network's images are multiples of this
INPUT_CHANNELS = 6 + CUES  # RGB, inside, x, y on the stereographic plane, shading cues
FIELD_CHANNELS = slice(4, INPUT_CHANNELS)  # of them, what smooth fields of depth are made of
# (RGB * 255 - 127) / 128, which the ImageNet weights of the encoder expect.
RGB_MEAN = 127 / 255
RGB_STD = 128 / 255
MAPS = 2  # log depth, log b
SUBPIXELS = 4  # 2 x 2
FRACTIONS = 2 * SUBPIXELS  # across and down
CONTEXT_CHANNELS = 96
FIELD_TERMS = 5 + CUES  # x, y, x², xy, y², shading cues
BILINEAR_FRACTION = 0.25


@dataclass(frozen=True)
class NetworkConfig:
    """What defines the network besides its weights; stored with them.

    decoder_channels: at strides 2, 4, 8, 16, 32. canonical_focal_px: the focal length whose depth the network says
    before it is scaled by f / canonical (Metric3D, Yin et al. 2023): 200 px is 87 degrees at 320 px width, the middle
    of the 45 to 120 degrees of rectified scopes. min_depth_m and max_depth_m: bounds of the depth at that focal length.
    """

    decoder_channels: tuple[int, int, int, int, int] = (16, 32, 64, 96, 128)
    canonical_focal_px: float = 200.0
    min_depth_m: float = 0.0005
    max_depth_m: float = 1.0
    min_log_b: float = -6.0
    max_log_b: float = 1.0
    initial_depth_m: float = 0.03
    initial_log_b: float = -1.5


class DepthNetwork(nn.Module):
    """EfficientNet-Lite0, a feature pyramid with the image's context, heads at half resolution, learned upsampling.

    Log depth is the head's, plus shares of the shading cues that the head gives each pixel, plus a smooth field for the
    image: what single neighbourhoods can't tell is how the light of this scope falls off.
    """

    def __init__(self, config: NetworkConfig) -> None:
        """Random weights."""
        super().__init__()
        self.config = config
        self.encoder = EfficientNetLite0(INPUT_CHANNELS)
        self.decoder = PyramidDecoder(config.decoder_channels)
        fine = config.decoder_channels[0]
        self.context = ImageContext(config.decoder_channels[-1])
        self.head = nn.Conv2d(fine, MAPS + FRACTIONS + CUES, 1)
        self.upsample = LearnedUpsampling()
        self._initialise_head()

    def forward(self, images: Tensor, inside: Tensor, K: Tensor) -> tuple[Tensor, Tensor]:
        """Natural log of z in metres and log of the Laplace scale b of that log, both float32 [B, H, W].

        images: stereographic (geometry/stereographic.py) [B, 3, H, W], RGB in [0, 1]. inside: [B, H, W], the scope's
        field of view. K: float32 [B, 3, 3], of these pixels. H and W are multiples of SIZE_MULTIPLE. One standard
        deviation of log depth is sqrt(2) * b.
        """
        x = network_input(images, inside, K)
        pyramid = self.encoder(x)
        bias, coefficients = self.context(pyramid[-1])
        out = self.head(as_weights(self.decoder(pyramid, bias), self.head.weight)).float()
        maps, fractions, shares = out.split([MAPS, FRACTIONS, CUES], 1)
        terms = field_terms(F.avg_pool2d(x[:, FIELD_CHANNELS].float(), 2))
        smooth = (coefficients.float()[:, :, None, None] * terms).sum(1) + (shares * terms[:, -CUES:]).sum(1)
        maps = torch.stack([maps[:, 0] + smooth, maps[:, 1]], 1)
        raw = self.upsample(maps, fractions)  # [B, MAPS, H, W]
        c = self.config
        log_depth = soft_bound(raw[:, 0], math.log(c.min_depth_m), math.log(c.max_depth_m))
        log_b = soft_bound(raw[:, 1], c.min_log_b, c.max_log_b)
        return log_depth + log_focal_ratio(K, c.canonical_focal_px)[:, None, None], log_b

    def _initialise_head(self) -> None:
        c = self.config
        depth = soft_bound_inverse(math.log(c.initial_depth_m), math.log(c.min_depth_m), math.log(c.max_depth_m))
        log_b = soft_bound_inverse(c.initial_log_b, c.min_log_b, c.max_log_b)
        # A network without memory gets its weights later, and this alone would have PyTorch load its compiler: seconds.
        if not self.head.weight.is_meta:
            nn.init.normal_(self.head.weight, std=0.01)
        assert self.head.bias is not None
        with torch.no_grad():
            self.head.bias.copy_(torch.tensor([depth, log_b] + [logit(BILINEAR_FRACTION)] * FRACTIONS + [0.0] * CUES))


class PyramidDecoder(nn.Module):
    """From coarse to fine: double, add the encoder's feature of that size, mix (Lin et al. 2017)."""

    def __init__(self, channels: tuple[int, ...]) -> None:
        """`channels` at strides 2 to 32."""
        super().__init__()
        sides = zip(PYRAMID_CHANNELS, channels, strict=True)
        self.lateral = nn.ModuleList(ConvNorm(encoded, decoded) for encoded, decoded in sides)
        steps = list(zip(channels[1:], channels[:-1], strict=True))
        self.narrow = nn.ModuleList(ConvNorm(coarse, fine) for coarse, fine in steps)
        self.mix = nn.ModuleList(ConvNorm(fine, fine, kernel=3) for _, fine in steps)

    def forward(self, pyramid: list[Tensor], bias: Tensor) -> Tensor:
        """Features at strides 2 to 32 to one at stride 2, [B, channels[0], H / 2, W / 2].

        bias: [B, channels[-1]], added at stride 32.
        """
        x = self.lateral[-1](pyramid[-1])
        x = F.relu(x + bias[:, :, None, None].to(x.dtype))
        for level in reversed(range(len(self.mix))):
            coarse = F.interpolate(self.narrow[level](x), scale_factor=2.0, mode="nearest")
            x = F.relu(coarse + self.lateral[level](pyramid[level]))
            x = F.relu(self.mix[level](x))
        return x


class ImageContext(nn.Module):
    """What the image as a whole says: a bias of the coarsest features, and the coefficients of a smooth field."""

    def __init__(self, channels: int) -> None:
        """`channels` of the coarsest features. Says nothing before it is trained."""
        super().__init__()
        self.squeeze = nn.Linear(PYRAMID_CHANNELS[-1], CONTEXT_CHANNELS)
        self.bias = nn.Linear(CONTEXT_CHANNELS, channels)
        self.field = nn.Linear(CONTEXT_CHANNELS, FIELD_TERMS)
        for layer in (self.bias, self.field):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, coarse: Tensor) -> tuple[Tensor, Tensor]:
        """[B, channels] and [B, FIELD_TERMS] of the encoder's coarsest feature."""
        x = F.relu(self.squeeze(as_weights(coarse, self.squeeze.weight).mean((2, 3))))
        return self.bias(x), self.field(x)


class LearnedUpsampling(nn.Module):
    """Doubles maps: bilinear interpolation whose fractions are learned, so that a pixel may choose a side of an edge.

    A separable form of RAFT's convex upsampling (Teed and Deng 2020, 3.3): a mix of the four nearest coarse pixels.
    """

    def forward(self, maps: Tensor, logits: Tensor) -> Tensor:
        """Maps [B, C, h, w] and logits of the fractions [B, FRACTIONS, h, w] to [B, C, 2h, 2w]."""
        height, width = maps.shape[-2:]
        across, down = logits.sigmoid()[:, None].chunk(2, 2)  # [B, 1, SUBPIXELS, h, w], share of the farther pixel
        padded = F.pad(maps, (1, 1, 1, 1), mode="replicate")
        shifted = [
            [padded[..., row : row + height, column : column + width] for column in range(3)] for row in range(3)
        ]
        # Of the subpixels top left, top right, bottom left, bottom right.
        beside = torch.stack([shifted[1][0], shifted[1][2], shifted[1][0], shifted[1][2]], 2)  # [B, C, SUBPIXELS, h, w]
        over = torch.stack([shifted[0][1], shifted[0][1], shifted[2][1], shifted[2][1]], 2)
        diagonal = torch.stack([shifted[0][0], shifted[0][2], shifted[2][0], shifted[2][2]], 2)
        centre = maps[:, :, None]
        near = centre + across * (beside - centre)
        far = over + across * (diagonal - over)
        return F.pixel_shuffle((near + down * (far - near)).flatten(1, 2), 2)


def network_input(images: Tensor, inside: Tensor, K: Tensor) -> Tensor:
    """The stem's channels [B, INPUT_CHANNELS, H, W].

    Normalised RGB, nothing of it outside; inside; places on the stereographic plane; the shading cues.
    """
    mask = inside.to(images.dtype)[:, None]
    rgb = (images - RGB_MEAN) / RGB_STD * mask
    places = plane_places(images.shape[-2], images.shape[-1], K)
    cue = F.interpolate(shading_cue(images, inside, K), scale_factor=float(STRIDE), mode="bilinear")
    return torch.cat([rgb, mask, places.to(images.dtype), cue.to(images.dtype)], 1)


def field_terms(places_and_cues: Tensor) -> Tensor:
    """What a smooth field of log depth is the sum of, [B, FIELD_TERMS, h, w], of x, y and cues, [B, 2 + CUES, h, w]."""
    x, y, *cues = places_and_cues.unbind(1)
    return torch.stack([x, y, x * x, x * y, y * y, *cues], 1)


def plane_places(height: int, width: int, K: Tensor) -> Tensor:
    """Places x, y of the pixels on the stereographic plane, in focal lengths, float32 [B, 2, height, width]."""
    focal = torch.stack([K[:, 0, 0], K[:, 1, 1]], 1)[:, :, None, None]
    v, u = torch.meshgrid(torch.arange(height, device=K.device), torch.arange(width, device=K.device), indexing="ij")
    return (torch.stack([u, v])[None].float() - K[:, :2, 2, None, None]) / focal


def log_focal_ratio(K: Tensor, canonical_focal_px: float) -> Tensor:
    """log(f / canonical), f = sqrt(fx * fy), [B]: what one scope's depth differs by from the canonical one's."""
    # Not of the product, which float16 can't hold.
    return 0.5 * (torch.log(K[:, 0, 0]) + torch.log(K[:, 1, 1])) - math.log(canonical_focal_px)


def soft_bound(raw: Tensor, low: float, high: float) -> Tensor:
    """A value between low and high that follows `raw` about the middle with slope one."""
    half = (high - low) / 2
    return (low + high) / 2 + half * torch.tanh(raw / half)


def soft_bound_inverse(value: float, low: float, high: float) -> float:
    """The `raw` that soft_bound turns into `value`."""
    half = (high - low) / 2
    return half * math.atanh((value - (low + high) / 2) / half)


def logit(probability: float) -> float:
    """The input of a sigmoid that gives `probability`."""
    return math.log(probability / (1 - probability))
