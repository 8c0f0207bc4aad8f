"""What is measured: images and settings, enough for another process to begin."""

from __future__ import annotations

from dataclasses import dataclass

from endo_depth_ros.benchmark.images import EncodedImage
from endo_depth_ros.nodes.depth_settings import DepthNodeSettings


class BenchmarkError(RuntimeError):
    """There is nothing to measure, or what was measured isn't what was asked for; the text says why and what to do."""


@dataclass(frozen=True)
class Workload:
    """images: all of one size. warm_up, frames: how many frames are answered before, and while, time is taken.

    rate_hz: of their stamps, and of publishing. with_cloud: whether somebody wants depth/points.
    """

    settings: DepthNodeSettings
    images: tuple[EncodedImage, ...]
    warm_up: int
    frames: int
    rate_hz: float
    with_cloud: bool
