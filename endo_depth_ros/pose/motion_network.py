"""The motion network: two images and the depth of the first in, the camera's motion and the change of brightness out.

The network says where every point went and how surely; the motion is the rigid one that agrees with that and with the
depth (Teed and Deng 2021 join the two in this way). So translation follows the unit of depth, and what can't be seen
comes out as uncertainty.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from endo_depth_ros.depth.efficientnet_lite import ConvNorm
from endo_depth_ros.pose.brightness import fit_brightness
from endo_depth_ros.pose.rigid_fit import Matches, fit_motion, inverse, move, project

SIZE_MULTIPLE = 8
COARSE, FINE = 8, 4  # strides
COARSE_ROUNDS, FINE_ROUNDS = 6, 3
PEAK_CELLS = 2  # around the best match, of which the coarse match is the mean
FORBIDDEN = -1e4
MIN_LOG_B, MAX_LOG_B = -3.0, 4.0  # pixels
INITIAL_LOG_B = 1.0


@dataclass(frozen=True)
class MotionNetworkConfig:
    """What defines the network besides its weights; stored with them.

    channels: at strides 2, 4, 8. hidden: of the heads. radius: of a fine search, in cells of 4 px. searches: how many.
    """

    channels: tuple[int, int, int] = (16, 32, 64)
    hidden: int = 48
    radius: int = 3
    searches: int = 2


class Stage(NamedTuple):
    """What one search found. pixels: [B, N, 2], log_b: [B, N], of the points. T: T_second_first [B, 4, 4]."""

    pixels: Tensor
    log_b: Tensor
    T: Tensor
    information: Tensor


class MotionAnswer(NamedTuple):
    """T_first_second: [B, 4, 4], translation in units of depth. information: [B, 6, 6], inverse covariance of its twist
    (rotation, translation) in the second camera, T exp(twist), before calibration. gain, offset: [B], what makes the
    second image as bright as the first. coarse, fine: how it came about; scores: [B, N, N] of coarse cells.
    """

    T_first_second: Tensor
    information: Tensor
    gain: Tensor
    offset: Tensor
    scores: Tensor
    coarse: Stage
    fine: tuple[Stage, ...]


class MotionNetwork(nn.Module):
    """Features of both images, every cell with every cell, rigid fit, finer searches around it with a fit each."""

    def __init__(self, config: MotionNetworkConfig) -> None:
        """Random weights."""
        super().__init__()
        self.config = config
        self.encoder = Encoder(config.channels)
        self.coarse = CoarseSearch(config.channels[2], config.hidden)
        self.fine = FineSearch(config.channels[1], config.hidden, config.radius)

    def forward(self, images: Tensor, inside: Tensor, log_depth: Tensor, K: Tensor) -> MotionAnswer:
        """The motion from the first frame to the second.

        images: [B, 2, 3, H, W], RGB in [0, 1]. inside: bool [B, 2, H, W], where they show something; in the first,
        where depth is known. log_depth: float32 [B, H, W], of z of the first, any number outside. K: [B, 3, 3], pinhole
        of both. H and W are multiples of SIZE_MULTIPLE.
        """
        batch = len(images)
        seen = inside.float()
        x = network_input(images, seen).flatten(0, 1).contiguous(memory_format=torch.channels_last)
        fine, coarse = self.encoder(x)
        fine, coarse = fine.unflatten(0, (batch, 2)), coarse.unflatten(0, (batch, 2))
        middle = median_log_depth(log_depth, inside[:, 0])
        relative = torch.where(inside[:, 0], log_depth - middle[:, None, None], 0.0)
        still = torch.eye(4, device=images.device).expand(batch, 4, 4)

        grid = Grid.of(relative, inside, K, COARSE)
        pixels, log_b, scores = self.coarse(coarse[:, 0], coarse[:, 1], grid)
        first = solve(grid, pixels, log_b, still, COARSE_ROUNDS)
        grid = Grid.of(relative, inside, K, FINE)
        stages, T = [], first.T.detach()
        for _ in range(self.config.searches):
            pixels, log_b = self.fine(fine[:, 0], fine[:, 1], grid, T)
            stages.append(solve(grid, pixels, log_b, T, FINE_ROUNDS))
            T = stages[-1].T.detach()
        last, unit = stages[-1], middle.exp()
        gain, offset = compare_brightness(images, grid, last)
        units = torch.stack([torch.ones_like(unit)] * 3 + [unit] * 3, 1)
        return MotionAnswer(
            T_first_second=inverse(with_unit(last.T, unit)),
            information=last.information / (units[:, :, None] * units[:, None]),
            gain=gain,
            offset=offset,
            scores=scores,
            coarse=first,
            fine=tuple(stages),
        )


@dataclass(frozen=True)
class Grid:
    """Cells of the first image. points: [B, N, 3], median depths. known, there: bool [B, h, w], depth is known in the
    first image; the second shows something. relative: [B, h, w], log depth over the median. K: [B, 3, 3].
    """

    points: Tensor
    places: Tensor
    known: Tensor
    there: Tensor
    relative: Tensor
    K: Tensor
    stride: int

    @staticmethod
    def of(relative: Tensor, inside: Tensor, K: Tensor, stride: int) -> Grid:
        """The cells of a stride: SAME convolutions of stride 2 look half a pixel beside every second pixel."""
        relative = relative[:, ::stride, ::stride]
        places = pixel_places(relative.shape[1], relative.shape[2], stride, relative.device)  # [h, w, 2]
        focal = torch.stack([K[:, 0, 0], K[:, 1, 1]], -1)[:, None, None]
        rays = (places - K[:, None, None, :2, 2]) / focal
        points = torch.cat([rays, torch.ones_like(rays[..., :1])], -1) * relative.exp()[..., None]
        sparse = inside[:, :, ::stride, ::stride]
        return Grid(points.flatten(1, 2), places, sparse[:, 0], sparse[:, 1], relative, K, stride)


def solve(grid: Grid, pixels: Tensor, log_b: Tensor, start: Tensor, rounds: int) -> Stage:
    """The motion that agrees with where the points went, [B, N, 2]; always in float32."""
    with torch.autocast(pixels.device.type, enabled=False):
        matches = Matches(grid.points, pixels.float(), log_b.float(), grid.known.flatten(1), grid.K)
        T, information = fit_motion(matches, start, rounds)
    return Stage(matches.pixels, matches.log_b, T, information)


class Encoder(nn.Module):
    """Features at strides 4 and 8."""

    def __init__(self, channels: tuple[int, int, int]) -> None:
        super().__init__()
        half, quarter, eighth = channels
        self.stem = ConvNorm(4, half, kernel=3, stride=2)
        self.quarter = ConvNorm(half, quarter, kernel=3, stride=2)
        self.quarter_mix = ConvNorm(quarter, quarter, kernel=3)
        self.quarter_out = nn.Conv2d(quarter, quarter, 1)
        self.eighth = ConvNorm(quarter, eighth, kernel=3, stride=2)
        self.eighth_mix = nn.ModuleList(ConvNorm(eighth, eighth, kernel=3) for _ in range(2))
        self.eighth_out = nn.Conv2d(eighth, eighth, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """[B, 4, H, W] to [B, C, H / 4, W / 4] and [B, C, H / 8, W / 8]."""
        x = F.relu(self.quarter(F.relu(self.stem(x))))
        x = x + F.relu(self.quarter_mix(x))
        y = F.relu(self.eighth(x))
        for mix in self.eighth_mix:
            y = y + F.relu(mix(y))
        return self.quarter_out(x), self.eighth_out(y)


class CoarseSearch(nn.Module):
    """Every cell of one image with every cell of the other."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.log_sharpness = nn.Parameter(torch.tensor(0.0))
        last = nn.Conv2d(hidden, 1, 3, padding=1)
        start_with(last, [INITIAL_LOG_B + 1])
        self.head = nn.Sequential(ConvNorm(channels + 5, hidden, kernel=3), nn.ReLU(), last)

    def forward(self, first: Tensor, second: Tensor, grid: Grid) -> tuple[Tensor, Tensor, Tensor]:
        """Pixels [B, N, 2] in the second image, log b [B, N], scores [B, N, N] of features [B, C, h, w]."""
        channels, height, width = first.shape[1:]
        scale = self.log_sharpness.exp() / math.sqrt(channels)
        scores = torch.einsum("bcn,bcm->bnm", first.flatten(2), second.flatten(2)).float() * scale
        scores = scores.masked_fill(~grid.there.flatten(1)[:, None], FORBIDDEN)
        share = scores.softmax(-1)
        places = grid.places.flatten(0, 1)
        best = places[share.argmax(-1)]  # [B, N, 2]
        near = (places - best[:, :, None]).abs().amax(-1) <= PEAK_CELLS * grid.stride
        peak = share * near
        mass = peak.sum(-1)
        pixels = peak @ places / mass[..., None]
        spread = (peak @ places.square() / mass[..., None] - pixels.square()).sum(-1).clamp_min(
            1e-3
        ).sqrt() / grid.stride
        flow = (pixels - places) / (grid.stride * width)
        signs = torch.stack([mass, spread, grid.relative.flatten(1)], 1).unflatten(2, (height, width))
        signs = torch.cat([signs, flow.transpose(1, 2).unflatten(2, (height, width))], 1)
        log_b = self.head(torch.cat([first, signs.to(first.dtype)], 1)).flatten(1)
        return pixels, log_b.clamp(MIN_LOG_B, MAX_LOG_B), scores


class FineSearch(nn.Module):
    """Around where a motion puts each cell."""

    def __init__(self, channels: int, hidden: int, radius: int) -> None:
        super().__init__()
        self.radius = radius
        self.compare = ConvNorm((2 * radius + 1) ** 2 + channels + 3, hidden)
        self.mix = nn.ModuleList(ConvNorm(hidden, hidden, kernel=3) for _ in range(2))
        self.head = nn.Conv2d(hidden, 3, 3, padding=1)
        start_with(self.head, [0.0, 0.0, INITIAL_LOG_B])

    def forward(self, first: Tensor, second: Tensor, grid: Grid, T: Tensor) -> tuple[Tensor, Tensor]:
        """Pixels [B, N, 2] in the second image and log b [B, N], around where T_second_first puts the points."""
        height, width = grid.known.shape[1:]
        expected = project(move(T, grid.points), grid.K)
        limit = torch.tensor([width - 1, height - 1], device=expected.device) * grid.stride
        where = (expected / limit * 2 - 1).clamp(-2, 2).view(len(T), height, width, 2)
        seen = torch.cat([second.float(), grid.there[:, None].float()], 1)
        there = F.grid_sample(seen, where, align_corners=True)
        alike = correlate(first, there[:, :-1].to(first.dtype), self.radius)
        known = torch.stack([grid.known.to(first.dtype), grid.relative.to(first.dtype)], 1)
        x = F.relu(self.compare(torch.cat([alike, first, known, there[:, -1:].to(first.dtype)], 1)))
        for mix in self.mix:
            x = x + F.relu(mix(x))
        out = self.head(x).float().flatten(2)
        pixels = expected + grid.stride * out[:, :2].transpose(1, 2)
        return pixels, out[:, 2].clamp(MIN_LOG_B, MAX_LOG_B)


def with_unit(T: Tensor, unit: Tensor) -> Tensor:
    """Transforms [B, 4, 4] whose translation is in units of [B], in metres."""
    upper = torch.cat([T[:, :3, :3], T[:, :3, 3:] * unit[:, None, None]], 2)
    return torch.cat([upper, T[:, 3:]], 1)


def compare_brightness(images: Tensor, grid: Grid, found: Stage) -> tuple[Tensor, Tensor]:
    """Gain and offset [B] of the second of images [B, 2, 3, H, W], where both show the same points."""
    second, within = sample_at(images[:, 1].float(), project(move(found.T, grid.points), grid.K))
    first = images[:, 0, :, :: grid.stride, :: grid.stride].float().flatten(2)
    both = grid.known.flatten(1) & within
    return fit_brightness(first, second, both / found.log_b.detach().exp())


def sample_at(images: Tensor, pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Images [B, C, H, W] at pixels [B, N, 2], interpolated, [B, C, N]; and whether those are inside, [B, N]."""
    height, width = images.shape[2:]
    where = pixels / torch.tensor([width - 1, height - 1], device=images.device) * 2 - 1
    return F.grid_sample(images, where[:, None], align_corners=True)[:, :, 0], (where.abs() <= 1).all(-1)


def start_with(last: nn.Conv2d, answer: list[float]) -> None:
    """Make a convolution say `answer`, whatever it sees, until it is trained."""
    assert last.bias is not None
    nn.init.normal_(last.weight, std=1e-3)
    with torch.no_grad():
        last.bias.copy_(torch.tensor(answer))


def correlate(first: Tensor, second: Tensor, radius: int) -> Tensor:
    """How alike features [B, C, h, w] are to those up to `radius` cells away, [B, (2 radius + 1)^2, h, w]."""
    height, width = first.shape[2:]
    padded = F.pad(second, (radius,) * 4)
    here = first.permute(0, 2, 3, 1)  # [B, h, w, C]
    band = torch.arange(width)[:, None] + torch.arange(2 * radius + 1)
    index = band.to(first.device).expand(len(first), height, -1, -1)
    # All of a row with all of another is one product of matrices, faster than the few that are wanted one by one.
    rows = [here @ padded[:, :, y : y + height].transpose(1, 2) for y in range(2 * radius + 1)]
    alike = torch.cat([row.gather(3, index) for row in rows], 3)
    return alike.permute(0, 3, 1, 2) / math.sqrt(first.shape[1])


def network_input(images: Tensor, seen: Tensor) -> Tensor:
    """[B, 2, 4, H, W]: colours, and where there are any; each channel with mean 0 and deviation 1, so that brightness
    and contrast of an image as a whole don't count.
    """
    mask = seen[:, :, None]
    count = mask.sum((3, 4), keepdim=True).clamp_min(1)
    centred = (images - (images * mask).sum((3, 4), keepdim=True) / count) * mask
    deviation = (centred.square().sum((3, 4), keepdim=True) / count).sqrt().clamp_min(0.01)
    return torch.cat([centred / deviation, mask], 2)


def median_log_depth(log_depth: Tensor, known: Tensor) -> Tensor:
    """Of the known pixels, [B]; 0 where there is none."""
    return torch.where(known, log_depth, torch.nan)[:, ::2, ::2].flatten(1).nanmedian(1).values.nan_to_num(0.0)


def pixel_places(height: int, width: int, stride: int, device: torch.device) -> Tensor:
    """x, y of the cells in pixels, float32 [height, width, 2]."""
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return (torch.stack([columns, rows], -1) * stride).float().to(device)
