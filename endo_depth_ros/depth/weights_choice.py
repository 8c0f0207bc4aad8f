"""Which file of weights a model takes, and what tells it from others."""

from __future__ import annotations

import hashlib
from pathlib import Path

from endo_depth_ros.depth.network_estimator import NetworkEstimator, network_weights
from endo_depth_ros.depth.settings import DepthSettings


def weights_file(settings: DepthSettings) -> Path | None:
    """The file that the settings name, else the one that the package brings; None for a model without weights."""
    if settings.model != NetworkEstimator.name:
        return None
    return network_weights(settings)


def hash_file(path: Path) -> str:
    """SHA-256 of the file, hexadecimal. Raises OSError."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
