"""Parameters with which nodes answer every frame, the same in every run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from endo_depth_ros.nodes.depth_settings import DepthNodeSettings
from endo_depth_ros.nodes.pose_settings import PoseNodeSettings
from endo_depth_ros.pose.settings import PoseSettings
from endo_depth_ros.settings import entries

MAP_FRAME = "map"
# Whatever the settings say; each node takes those that it has.
LOCK_STEP: dict[str, Any] = {
    "autostart": True,
    "synchronous": True,
    "allow_relative": True,
    "processing": "every",
    "image_transport": "raw",
    "image_reliability": "reliable",
    "depth_encoding": "32FC1",
    "map_frame": MAP_FRAME,
    "tf_wait_s": 0.0,
}


def write_parameters(path: Path, settings: DepthNodeSettings | PoseSettings) -> Path:
    """A parameter file for depth_node or pose_node with these settings, in lock step."""
    node = DepthNodeSettings if isinstance(settings, DepthNodeSettings) else PoseNodeSettings
    values = {entry.name: getattr(settings, entry.name) for entry in entries(type(settings))}
    needed = {entry.name: LOCK_STEP[entry.name] for entry in entries(node) if entry.name in LOCK_STEP}
    path.write_text(yaml.safe_dump({"/**": {"ros__parameters": {**values, **needed}}}))
    return path
