"""A picture of every third pixel, and its way back to all pixels without leaks over the edges of things."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

STEP = 3
_SAME = 0.03  # relative difference of depth that counts as the same surface


@dataclass(frozen=True, eq=False)
class SparsePicture:
    """Which of every third pixel each pixel takes from: index and weight, [4, H, W]."""

    index: Tensor
    weight: Tensor

    @staticmethod
    def of(depth: Tensor) -> SparsePicture:
        """For a picture with positive depth [H, W]: bilinear weights, less across edges (Kopf et al. 2007)."""
        rows, columns = (_neighbours(size, depth) for size in depth.shape)
        sparse = depth[::STEP, ::STEP]
        pairs = [(row, column) for row in rows for column in columns]
        index = torch.stack([row[:, None] * sparse.shape[1] + column for (row, _), (column, _) in pairs])
        bilinear = torch.stack([near[:, None] * beside for (_, near), (_, beside) in pairs])
        apart = (sparse.reshape(-1).index_select(0, index.view(-1)).view(index.shape) / depth - 1) / _SAME
        weight = (bilinear + 1e-3) / (1 + apart * apart)
        return SparsePicture(index, weight / weight.sum(0))

    def enlarge(self, values: Tensor) -> Tensor:
        """Values of every third pixel, [ceil(H / 3) * ceil(W / 3)], at all pixels, [H, W]."""
        taken = values.index_select(0, self.index.view(-1))  # several times faster than values[self.index]
        return (taken.view(self.index.shape) * self.weight).sum(0)


def every_third(pictures: Tensor) -> Tensor:
    """The pixels of [C, H, W] that a SparsePicture takes from, [C, ceil(H / 3) * ceil(W / 3)]."""
    return pictures[:, ::STEP, ::STEP].reshape(len(pictures), -1)


def _neighbours(size: int, like: Tensor) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """The two of every third pixel around each of `size` pixels, as index and weight, [size] each."""
    pixel = torch.arange(size, device=like.device)
    first, share = pixel // STEP, (pixel % STEP).to(like.dtype) / STEP
    second = (first + 1).clamp(max=(size - 1) // STEP)
    return (first, 1 - share), (second, share)
