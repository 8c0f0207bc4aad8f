"""Start depth_node and, by argument, a source of images (video, camera or bag) and RViz. See docs/launch.md."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ament_index_python.packages import PackageNotFoundError, get_package_prefix, get_package_share_directory
from launch import LaunchContext, LaunchDescription
from launch.action import Action
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from endo_depth_ros.nodes.fastdds_profile import profile_variables
from endo_depth_ros.settings import load_parameter_file

PACKAGE = "endo_depth_ros"
SHARE = Path(get_package_share_directory(PACKAGE))

# name: (default, description)
ARGUMENTS = {
    "params_file": (str(SHARE / "config" / "depth.yaml"), "ROS parameter file of the nodes started here"),
    "namespace": ("", "Namespace of the nodes and their topics, one for each camera"),
    "use_sim_time": ("auto", "Take the time from /clock: true, false, or auto: true with bag, else as in params_file"),
    "log_level": ("info", "debug, info, warn, error or fatal"),
    "autostart": ("", "false leaves depth_node unconfigured for a lifecycle manager; empty: as in params_file"),
    "image_topic": ("image_raw", "Topic of the images; compressed ones are read from <image_topic>/compressed"),
    "camera_info_topic": ("", "Topic of the calibration; empty: camera_info beside image_topic"),
    "image_transport": ("", "raw or compressed; empty: as in params_file"),
    "model": ("", "Depth estimator; empty: as in params_file"),
    "allow_relative": ("", "true publishes depth of unknown scale; empty: as in params_file"),
    "processing": ("", "newest (live) or every (each frame counts); empty: as in params_file"),
    "hfov_deg": ("", "Horizontal field of view of an uncalibrated camera, degrees; empty: as in params_file"),
    "video": ("", "Video file or folder of images to play"),
    "camera": ("", "V4L2 device to read, such as /dev/video0"),
    "bag": ("", "rosbag2 to replay with /clock; give the name of its image topic as image_topic"),
    "loop": ("", "true plays the video or bag again at its end; empty: as in params_file"),
    "rate": ("", "Speed of the video or bag, times its own; empty: as in params_file"),
    "camera_file": ("", "Calibration of the video or camera, YAML as camera_calibration writes it"),
    "rviz": ("false", "true opens RViz on the depth"),
    "composed": ("false", "true starts navigator, depth_node and pose_node in one process, instead of depth_node"),
    "pose_params_file": (
        str(SHARE / "config" / "pose.yaml"),
        "ROS parameter file of pose_node, read before params_file",
    ),
    "rviz_file": (str(SHARE / "rviz" / "depth.rviz"), "What RViz shows"),
    "fixed_frame": ("endoscope_optical_frame", "Frame that RViz shows the cloud in"),
}
SOURCES = ("video", "camera", "bag")
LOG_LEVELS = ("debug", "info", "warn", "error", "fatal")


class ArgumentError(ValueError):
    """Launch arguments that can't be used, or not together; the text says which and what to give."""


def generate_launch_description() -> LaunchDescription:
    """The arguments, and what follows from their values."""
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=description)
        for name, (default, description) in ARGUMENTS.items()
    ]
    return LaunchDescription([*declared, OpaqueFunction(function=start)])


def start(context: LaunchContext) -> list[Action]:
    """The processes for the values that the arguments have. Raises ArgumentError."""
    values = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    check(values)
    environment = profile_variables(context.environment)
    composed = boolean(values, "composed")
    actions: list[Action] = [navigator(values, environment) if composed else depth_node(values, environment)]
    if values["video"] or values["camera"]:
        actions.append(video_node(values, environment))
    if values["bag"]:
        actions.append(replay_node(values, environment))
    if boolean(values, "rviz"):
        actions.append(rviz(values, environment))
    return actions


def check(values: Mapping[str, str]) -> None:
    """Raise ArgumentError for values that can't be used, or not together."""
    sources = [name for name in SOURCES if values[name]]
    if len(sources) > 1:
        raise ArgumentError(f"{' and '.join(sources)} are given; give one source: video, camera or bag")
    for name in ("params_file", "pose_params_file"):
        if not Path(values[name]).is_file():
            raise ArgumentError(f"{name} {values[name]}: no such file; give a ROS parameter file")
    topic, _, transport = values["image_topic"].rpartition("/")
    if transport == "compressed":
        raise ArgumentError(f"give image_topic:={topic} image_transport:=compressed, not {values['image_topic']}")
    if values["camera_file"] and not (values["video"] or values["camera"]):
        raise ArgumentError("camera_file belongs to video or camera; live topics and bags bring their camera_info")
    if values["camera_file"] and values["hfov_deg"]:
        raise ArgumentError("camera_file and hfov_deg are given; leave hfov_deg out, a calibration knows better")
    for name in ("loop", "rate"):
        if values[name] and not (values["video"] or values["bag"]):
            raise ArgumentError(f"{name} belongs to video or bag; leave it out, or give one of them")
    for name in ("video", "bag", "camera_file"):
        if values[name] and not Path(values[name]).expanduser().exists():
            raise ArgumentError(f"{name} {values[name]}: no such file or folder; correct the path")
    if values["log_level"].lower() not in LOG_LEVELS:
        raise ArgumentError(f"log_level is '{values['log_level']}'; give one of {', '.join(LOG_LEVELS)}")
    if boolean(values, "rviz"):
        check_rviz()


def check_rviz() -> None:
    """Raise ArgumentError where rviz2 is not installed: launch would find out when depth_node runs already."""
    try:
        get_package_prefix("rviz2")
    except PackageNotFoundError as error:
        raise ArgumentError("rviz is true but rviz2 is not installed; apt install ros-$ROS_DISTRO-rviz2") from error


def depth_node(values: Mapping[str, str], environment: dict[str, str]) -> Node:
    """depth_node, which configures and activates itself unless autostart is false.

    When it exits, the rest goes on: one sensor must not take the bring-up of a robot down with it.
    """
    return ros_node("depth_node", values, environment, frame_parameters(values), image_remappings(values))


def navigator(values: Mapping[str, str], environment: dict[str, str]) -> Node:
    """depth_node and pose_node in one process; what is given for depth_node holds for both."""
    return Node(
        package=PACKAGE,
        executable="navigator",
        namespace=values["namespace"],
        parameters=[values["pose_params_file"], values["params_file"], frame_parameters(values)],
        remappings=image_remappings(values),
        ros_arguments=["--log-level", values["log_level"]],
        additional_env=environment,
        output="screen",
    )


def frame_parameters(values: Mapping[str, str]) -> dict[str, Any]:
    """Parameters of the nodes that work on frames, from the arguments that are given."""
    parameters = {
        **given(values, boolean, "autostart", "allow_relative"),
        **given(values, text, "image_transport", "model", "processing"),
        **given(values, number, "hfov_deg"),
    }
    if values["use_sim_time"] != "auto":
        parameters["use_sim_time"] = boolean(values, "use_sim_time")
    elif values["bag"]:
        parameters["use_sim_time"] = True
    return parameters


def video_node(values: Mapping[str, str], environment: dict[str, str]) -> Node:
    """video_node on the topics that depth_node reads; a file starts when it listens."""
    parameters = {
        "source": text(values, "video" if values["video"] else "camera"),
        "wait_for_node": "depth_node",
        **given(values, text, "camera_file"),
        **given(values, number, "hfov_deg", "rate"),
        **given(values, boolean, "loop"),
    }
    return ros_node("video_node", values, environment, parameters, image_remappings(values))


def replay_node(values: Mapping[str, str], environment: dict[str, str]) -> Node:
    """replay_node on the topics that the bag names, from the moment that depth_node listens."""
    in_file = load_parameter_file(Path(values["params_file"]), "depth_node").get("image_transport", "raw")
    compressed = (values["image_transport"] or in_file) == "compressed"
    parameters = {
        "bag": text(values, "bag"),
        "wait_for_subscribers": values["image_topic"] + ("/compressed" if compressed else ""),
        "wait_for_node": "depth_node",
        **given(values, number, "rate"),
        **given(values, boolean, "loop"),
    }
    return ros_node("replay_node", values, environment, parameters, [])


def rviz(values: Mapping[str, str], environment: dict[str, str]) -> Node:
    """RViz, in the namespace whose relative topics it shows."""
    return Node(
        package="rviz2",
        executable="rviz2",
        namespace=values["namespace"],
        arguments=["-d", values["rviz_file"], "-f", values["fixed_frame"]],
        additional_env=environment,
        output="screen",
    )


def ros_node(
    executable: str,
    values: Mapping[str, str],
    environment: dict[str, str],
    parameters: dict[str, Any],
    remappings: list[tuple[str, str]],
) -> Node:
    """One of this package's nodes; parameters override those of params_file."""
    return Node(
        package=PACKAGE,
        executable=executable,
        name=executable,
        namespace=values["namespace"],
        parameters=[values["params_file"], parameters],
        remappings=remappings,
        ros_arguments=["--log-level", values["log_level"]],
        additional_env=environment,
        output="screen",
    )


def image_remappings(values: Mapping[str, str]) -> list[tuple[str, str]]:
    """From the nodes' topic names to the ones asked for."""
    image = values["image_topic"]
    folder, slash, _ = image.rpartition("/")
    camera_info = values["camera_info_topic"] or f"{folder}{slash}camera_info"
    return [("image_raw", image), ("image_raw/compressed", f"{image}/compressed"), ("camera_info", camera_info)]


def given(values: Mapping[str, str], convert: Callable[[Mapping[str, str], str], Any], *names: str) -> dict[str, Any]:
    """The named arguments that are not empty, converted: parameters that go before those of params_file."""
    return {name: convert(values, name) for name in names if values[name]}


def text(values: Mapping[str, str], name: str) -> ParameterValue:
    """The argument as a string, also where it looks like a number."""
    return ParameterValue(values[name], value_type=str)


def boolean(values: Mapping[str, str], name: str) -> bool:
    """The argument as a truth value. Raises ArgumentError."""
    if values[name].lower() not in ("true", "1", "false", "0"):
        raise ArgumentError(f"{name} is '{values[name]}' but must be true or false")
    return values[name].lower() in ("true", "1")


def number(values: Mapping[str, str], name: str) -> float:
    """The argument as a number. Raises ArgumentError."""
    try:
        return float(values[name])
    except ValueError as error:
        raise ArgumentError(f"{name} is '{values[name]}' but must be a number") from error
