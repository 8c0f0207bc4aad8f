"""What a ROS parameter file says to each node, for commands that do the nodes' work without them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from endo_depth_ros.nodes.depth_settings import DepthNodeSettings
from endo_depth_ros.nodes.pose_settings import PoseNodeSettings
from endo_depth_ros.settings import entries, load_parameter_file

_NAMES = {
    "depth_node": frozenset(entry.name for entry in entries(DepthNodeSettings)),
    "pose_node": frozenset(entry.name for entry in entries(PoseNodeSettings)),
}


def values_for(params: Path | None, node_name: str) -> dict[str, Any]:
    """Values for depth_node or pose_node; none without a file. Under `/**` may stand what only the other one knows.

    Raises SettingsError for a file that can't be read.
    """
    if params is None:
        return {}
    others = frozenset().union(*_NAMES.values()) - _NAMES[node_name]
    return load_parameter_file(params, node_name, others)
