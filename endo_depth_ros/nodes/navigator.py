"""navigator: depth_node and pose_node in one process, on one executor; frames pass from one to the other in memory."""

from __future__ import annotations

from typing import Any

from endo_depth_ros.nodes.depth_node import DepthNode
from endo_depth_ros.nodes.pose_node import PoseNode
from endo_depth_ros.nodes.runner import run_together


def make_nodes(**node_options: Any) -> list[Any]:
    """depth_node, and pose_node that takes every frame from it. Raises SettingsError or StartError as they do."""
    pose = PoseNode(listens=False, **node_options)
    try:
        return [DepthNode(consumer=pose, **node_options), pose]
    except BaseException:
        pose.destroy_node()
        raise


def main(args: list[str] | None = None) -> int:
    """Entry point of the executable."""
    return run_together(make_nodes, args)
