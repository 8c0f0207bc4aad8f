"""Depth and the camera's pose: depth.launch.py with pose_node beside it, or both in one process. See docs/launch.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ament_index_python.packages import get_package_share_directory
from launch import LaunchContext, LaunchDescription
from launch.action import Action
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, OpaqueFunction
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from endo_depth_ros.nodes.fastdds_profile import profile_variables

PACKAGE = "endo_depth_ros"
SHARE = Path(get_package_share_directory(PACKAGE))

# name: (default, description). Those of depth.launch.py hold, too; some of them have another default here.
ARGUMENTS = {
    "composed": (
        "true",
        "One process for depth and pose, frames passed in memory; false starts two",
    ),
    "rviz_file": (str(SHARE / "rviz" / "navigation.rviz"), "What RViz shows"),
    "fixed_frame": ("map", "Frame that RViz shows everything in"),
}
# Arguments of depth.launch.py that pose_node takes, too.
SHARED = ("autostart", "allow_relative", "processing")


def generate_launch_description() -> LaunchDescription:
    """depth.launch.py with all its arguments, and pose_node where it isn't in the same process."""
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=description)
        for name, (default, description) in ARGUMENTS.items()
    ]
    depth = IncludeLaunchDescription(PythonLaunchDescriptionSource(str(SHARE / "launch" / "depth.launch.py")))
    return LaunchDescription([*declared, depth, OpaqueFunction(function=start_pose)])


def start_pose(context: LaunchContext) -> list[Action]:
    """pose_node, unless navigator has it. depth.launch.py, which comes first, has checked the arguments."""
    names = ("composed", "namespace", "params_file", "pose_params_file", "log_level", "use_sim_time", "bag", *SHARED)
    values = {name: LaunchConfiguration(name).perform(context) for name in names}
    if values["composed"].lower() in ("true", "1"):
        return []
    parameters: dict[str, Any] = {
        name: ParameterValue(values[name], value_type=str if name == "processing" else bool)
        for name in SHARED
        if values[name]
    }
    if values["use_sim_time"] != "auto":
        parameters["use_sim_time"] = values["use_sim_time"].lower() in ("true", "1")
    elif values["bag"]:
        parameters["use_sim_time"] = True
    return [
        Node(
            package=PACKAGE,
            executable="pose_node",
            name="pose_node",
            namespace=values["namespace"],
            parameters=[values["pose_params_file"], values["params_file"], parameters],
            ros_arguments=["--log-level", values["log_level"]],
            additional_env=profile_variables(context.environment),
            output="screen",
        )
    ]
