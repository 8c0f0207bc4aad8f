"""Settings of the tracker from a parameter file."""

from __future__ import annotations

import sys
from pathlib import Path

from endo_depth_ros.cli.parameter_file import values_for
from endo_depth_ros.nodes.pose_settings import PoseNodeSettings
from endo_depth_ros.settings import changed, make


def read_pose_settings(params: Path | None) -> PoseNodeSettings:
    """pose_node's settings of a parameter file, for runs that repeat. Raises SettingsError."""
    settings = make(PoseNodeSettings, values_for(params, "pose_node"))
    if settings.constant or settings.uses_kinematics:
        print(
            f"warning: {params}: constant and kinematics of pose_node are not used here, depth and poses keep the "
            "model's metres; set metres_per_unit of depth_node where the scale is known",
            file=sys.stderr,
        )
    return changed(settings, {"synchronous": True})
