"""Relative depth from the inverse-square law of a light that moves with the camera.

A Lambertian surface lit by a point light at the camera returns I = m · albedo · cos(incidence) / r². With albedo and
incidence unknown, r = 1/√I is their average; it needs no training and is what every network must beat.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from endo_depth_ros.contracts import ScaleState
from endo_depth_ros.depth.estimator import DepthEstimator, DepthPrediction, ImageBatch
from endo_depth_ros.depth.runtime import Runtime
from endo_depth_ros.depth.settings import DepthSettings

# A surface that returns 18 % of full scale (mid-grey) reads REFERENCE_DEPTH: an arbitrary unit of endoscopic size.
REFERENCE_INTENSITY = 0.18
REFERENCE_DEPTH = 0.05
# Spread of log depth about the truth that albedo, incidence and indirect light cause (measured: docs/models.md).
MODEL_LOG_SIGMA = 0.27
# Linear intensity below which black level, noise and indirect light rule.
FLOOR_INTENSITY = 0.004
FARTHEST_TANGENT = math.tan(math.radians(80) / 2)


class ShadingEstimator(DepthEstimator):
    """Inverse-square depth; consistent between frames only while the exposure stays fixed."""

    name = "shading"
    scale_state = ScaleState.RELATIVE
    constant_scale = False

    def __init__(self, settings: DepthSettings, runtime: Runtime) -> None:
        """Nothing to load."""
        super().__init__(settings, runtime)
        self._gamma = settings.shading_gamma
        self._smoothing = settings.shading_smoothing

    @torch.inference_mode()
    def estimate(self, batch: ImageBatch) -> DepthPrediction:
        """Depth where enough well exposed tissue is near; sigma from the model's spread and the sensor's floor."""
        intensity = batch.images.amax(1) ** self._gamma  # [B, H, W]
        weight = batch.usable.to(intensity.dtype)
        sigma_px = self._smoothing * intensity.shape[-1]
        support = gaussian_blur(weight, sigma_px)
        smooth = gaussian_blur(intensity * weight, sigma_px) / support.clamp_min(1e-6)
        smooth = smooth.clamp_min(1e-6)
        distance = REFERENCE_DEPTH * torch.sqrt(REFERENCE_INTENSITY / smooth)
        depth = distance / ray_lengths(batch.K, *intensity.shape[-2:])
        log_sigma = torch.hypot(torch.full_like(smooth, MODEL_LOG_SIGMA), 0.5 * FLOOR_INTENSITY / smooth)
        return DepthPrediction(depth, depth * log_sigma, support > 0.1)


def ray_lengths(K: Tensor, height: int, width: int) -> Tensor:
    """Length of each pixel's ray with z = 1, [B, H, W]: distance = depth · ray length.

    K: [B, 3, 3], of a stereographic image (geometry/stereographic.py). What is 80 degrees from the axis or more counts
    as 80.
    """
    u = torch.arange(width, dtype=K.dtype, device=K.device)
    v = torch.arange(height, dtype=K.dtype, device=K.device)
    x = (u - K[:, 0, 2, None]) / K[:, 0, 0, None]  # [B, W]
    y = (v - K[:, 1, 2, None]) / K[:, 1, 1, None]  # [B, H]
    squared = ((x[:, None, :] ** 2 + y[:, :, None] ** 2) / 4).clamp_max(FARTHEST_TANGENT**2)  # tan² of half the angle
    return (1 + squared) / (1 - squared)


def gaussian_blur(maps: Tensor, sigma_px: float) -> Tensor:
    """Blur [B, H, W] with a separable Gaussian of standard deviation sigma_px; outside counts as zero."""
    radius = math.ceil(3 * sigma_px)
    if radius == 0:
        return maps
    offsets = torch.arange(-radius, radius + 1, dtype=maps.dtype, device=maps.device)
    kernel = torch.exp(-0.5 * (offsets / sigma_px) ** 2)
    kernel /= kernel.sum()
    rows = F.conv2d(maps[:, None], kernel.view(1, 1, 1, -1), padding=(0, radius))
    return F.conv2d(rows, kernel.view(1, 1, -1, 1), padding=(radius, 0))[:, 0]
