"""What a benchmark found: its figures, in milliseconds and MB (10^6 bytes)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

DIGITS = 3


@dataclass(frozen=True)
class Percentiles:
    """Of the frames that got depth, milliseconds."""

    p50_ms: float
    p95_ms: float
    p99_ms: float


@dataclass(frozen=True)
class InProcess:
    """The pipeline in one process, image after image.

    peak_rss_mb: of the whole process, the images included. peak_gpu_mb: reserved by PyTorch, 0 without a GPU.
    publish_obstacle: why publishing wasn't measured, or ''.
    """

    depth_width: int
    depth_height: int
    frames: int
    verdicts: dict[str, int]
    stages: dict[str, Percentiles]
    end_to_end: Percentiles
    throughput_hz: float
    peak_rss_mb: float
    peak_gpu_mb: float
    publish_obstacle: str


@dataclass(frozen=True)
class OverGraph:
    """depth_node as a process of its own, from publishing an image to the receipt of its last message.

    received, dropped and inside: counted by the node itself, from the first image on.
    """

    rate_hz: float
    topics: tuple[str, ...]
    sent: int
    answered: int
    verdicts: dict[str, int]
    end_to_end: Percentiles
    node_received: int
    node_dropped: int
    inside_node_p50_ms: float
    inside_node_p99_ms: float


@dataclass(frozen=True)
class RunResult:
    """One runtime on images of one size.

    distinct_images: how many, shown forwards and backwards. over_graph: None where it wasn't asked for.
    """

    runtime: str
    precision: str
    threads: int
    width: int
    height: int
    distinct_images: int
    in_process: InProcess
    over_graph: OverGraph | None


def percentiles(values_ms: Sequence[float]) -> Percentiles:
    """p50, p95 and p99 of at least one value."""
    return Percentiles(*(round(float(p), DIGITS) for p in np.percentile(values_ms, (50, 95, 99))))
