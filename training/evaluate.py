"""Scores a weights file on held-out renderings."""

from __future__ import annotations

from pathlib import Path

from endo_depth_ros.depth.network_estimator import DepthAndSigma
from endo_depth_ros.depth.weights import load_weights
from training.held_out import score_renderings, score_table


def evaluate(weights: Path, data: Path, views: int, device: str) -> str:
    """The table of a weights file's scores on the sequences under `data`. Raises WeightsError, DataError."""
    loaded = load_weights(weights)
    record = loaded.record
    size = (record.input_width, record.input_height)
    network = DepthAndSigma(loaded.network, record.sigma_factor, record.relief_doubt)
    return score_table(score_renderings(network, data, *size, views, device))
