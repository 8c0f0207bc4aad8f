"""The interface of depth estimators: colour images and cameras in, depth, sigma and validity out."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from endo_depth_ros.contracts import ScaleState
from endo_depth_ros.depth.runtime import Runtime
from endo_depth_ros.depth.settings import DepthSettings


@dataclass(frozen=True)
class ImageBatch:
    """What an estimator sees; all tensors on its device.

    images: float32 [B, 3, H, W], stereographic, RGB in [0, 1] as encoded by the camera (gamma applied).
    inside: bool [B, H, W], True in the scope's field of view. usable: bool [B, H, W], inside and well exposed.
    K: float32 [B, 3, 3], of these pixels (geometry/stereographic.py).
    """

    images: Tensor
    inside: Tensor
    usable: Tensor
    K: Tensor


@dataclass(frozen=True)
class DepthPrediction:
    """What an estimator says about a batch; all tensors [B, H, W] on the estimator's device.

    depth: float, positive, z in the estimator's unit (metres for nominal models). sigma: float, one standard deviation
    in the same unit. valid: bool, False where the estimator itself has no ground for an answer.
    """

    depth: Tensor
    sigma: Tensor
    valid: Tensor


class DepthEstimator(ABC):
    """Turns stereographic colour images into depth. Made by `models.create_estimator`, used by one thread at a time."""

    name: ClassVar[str]
    scale_state: ClassVar[ScaleState]  # of the raw output: RELATIVE or NOMINAL
    scale_sigma: float = math.nan  # relative standard deviation of a nominal unit of depth, NaN where nobody knows
    size_multiple: ClassVar[int] = 1  # height and width are padded to multiples of this
    constant_scale: ClassVar[bool]  # whether one factor fits all frames, so that a given scale can make it metric

    def __init__(self, settings: DepthSettings, runtime: Runtime) -> None:
        """Load what the model needs. Raises RuntimeError or ValueError with a sentence when that fails."""
        self.device = runtime.device

    @abstractmethod
    def estimate(self, batch: ImageBatch) -> DepthPrediction:
        """Depth, sigma and validity of each image of the batch."""

    def warm_up(self, height: int, width: int) -> None:
        """Run once on a grey image, so that the first real frame is as fast as the others."""
        image = torch.full((1, 3, height, width), 0.5, device=self.device)
        everywhere = torch.ones(1, height, width, dtype=torch.bool, device=self.device)
        K = torch.tensor([[[width, 0, width / 2], [0, width, height / 2], [0, 0, 1.0]]], device=self.device)
        self.estimate(ImageBatch(image, everywhere, everywhere, K))
