"""What colcon, rosdep and pip are told about the package agrees with what is in it."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
import yaml
from manifest import ROOT, dependencies, distribution, executables, imported_modules, package_field

import endo_depth_ros
from endo_depth_ros.nodes.depth_settings import DepthNodeSettings
from endo_depth_ros.nodes.pose_settings import PoseNodeSettings
from endo_depth_ros.nodes.replay_settings import ReplaySettings
from endo_depth_ros.nodes.video_settings import VideoSettings
from endo_depth_ros.pose.metric_settings import MetricScaleSettings
from endo_depth_ros.pose.settings import PoseSettings
from endo_depth_ros.settings import entries, load_parameter_file

# Modules whose rosdep key is not their name; None where pip brings them (docs/installing.md).
ROSDEP_KEYS = {
    "cv2": "python3-opencv",
    "evo": None,
    "gtsam": None,
    "hypothesis": "python3-hypothesis",
    "matplotlib": None,
    "mcap": None,
    "numpy": "python3-numpy",
    "onnx": None,
    "open3d": None,
    "packaging": "python3-packaging",
    "pytest": "python3-pytest",
    "ray": None,
    "rosbags": None,
    "safetensors": None,
    "scipy": "python3-scipy",
    "setuptools": "python3-setuptools",
    "simplejpeg": None,
    "tensorboard": None,
    "torch": None,
    "tqdm": "python3-tqdm",
    "yaml": "python3-yaml",
    "zstandard": None,
}
PIP_NAMES = {"cv2": "opencv-python-headless", "yaml": "pyyaml"}
SETTINGS = {
    "depth_node": DepthNodeSettings,
    "pose_node": PoseNodeSettings,
    "video_node": VideoSettings,
    "replay_node": ReplaySettings,
}
FILES = {"depth.yaml": ("depth_node", "video_node", "replay_node"), "pose.yaml": ("pose_node",)}


def third_party(folder: str) -> dict[str, str]:
    own = {"endo_depth_ros", *sys.stdlib_module_names}
    return {module: file for module, file in imported_modules(folder).items() if module not in own}


@pytest.mark.parametrize("folder", ["endo_depth_ros", "launch"])
def test_every_import_of_installed_code_is_a_dependency(folder: str) -> None:
    declared = dependencies("depend", "exec_depend")
    for module, file in third_party(folder).items():
        key = ROSDEP_KEYS.get(module, module)
        assert key is None or key in declared, f"{file} imports {module}: package.xml lacks <exec_depend>{key}"


def test_every_import_of_tests_is_a_dependency() -> None:
    beside = {"training", *(path.stem for folder in ("test", "pip_ros") for path in (ROOT / folder).rglob("*.py"))}
    declared = dependencies("depend", "exec_depend", "test_depend")
    for module, file in third_party("test").items():
        key = ROSDEP_KEYS.get(module, module)
        assert module in beside or key is None or key in declared, f"{file} imports {module}: package.xml lacks {key}"


def test_every_python_library_is_a_requirement_of_pip() -> None:
    asked_for = distribution().extras_require
    extras = [line for extra in ("no_ros", "eval", "surface", "cluster") for line in asked_for[extra]]
    required = {re.split(r"[<>=\[ ]", line)[0] for line in [*distribution().install_requires, *extras]}
    for module, file in third_party("endo_depth_ros").items():
        if module in ROSDEP_KEYS:
            assert PIP_NAMES.get(module, module) in required, f"{file} imports {module}: setup.py does not require it"


def test_executables_that_launch_files_and_nodes_need_are_dependencies() -> None:
    assert {"launch", "launch_ros", "ros2launch", "rviz2"} <= dependencies("exec_depend")


def test_the_core_imports_no_ros() -> None:
    for folder in ("bags", "datasets", "depth", "evaluation", "geometry", "imaging", "pose", "runs", "synthetic"):
        ros = {module for module in third_party(f"endo_depth_ros/{folder}") if module not in ROSDEP_KEYS}
        assert not ros, f"endo_depth_ros/{folder} imports {ros}"


def test_names_and_versions_agree() -> None:
    assert package_field("name") == distribution().get_name() == endo_depth_ros.__name__
    assert package_field("version") == distribution().get_version() == endo_depth_ros.__version__
    assert f"\n{endo_depth_ros.__version__} (" in (ROOT / "CHANGELOG.rst").read_text()


def test_package_is_format_3_ament_python_under_apache_2() -> None:
    root = ElementTree.parse(ROOT / "package.xml").getroot()
    assert root.get("format") == "3"
    assert root.findtext("export/build_type") == "ament_python"
    assert root.findtext("license") == distribution().get_license() == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text()


@pytest.mark.parametrize("name", sorted(executables()))
def test_every_executable_has_its_function(name: str) -> None:
    module, function = executables()[name].split(":")
    spec = importlib.util.find_spec(module)
    assert spec is not None, module
    assert spec.origin is not None
    functions = {
        node.name for node in ast.parse(Path(spec.origin).read_text()).body if isinstance(node, ast.FunctionDef)
    }
    assert function in functions


def test_every_node_is_an_executable() -> None:
    nodes = {path.stem for path in (ROOT / "endo_depth_ros" / "nodes").glob("*_node.py")}
    assert nodes <= set(executables())


def installed_files() -> dict[str, str]:
    """Files of data_files and the folder each goes to."""
    return {file: folder for folder, files in distribution().data_files for file in files}


def test_ament_finds_the_package() -> None:
    assert (ROOT / "resource/endo_depth_ros").is_file()
    assert installed_files()["resource/endo_depth_ros"] == "share/ament_index/resource_index/packages"
    assert installed_files()["package.xml"] == "share/endo_depth_ros"


@pytest.mark.parametrize("folder", ["launch", "config", "rviz"])
def test_every_launch_config_and_view_file_is_installed(folder: str) -> None:
    files = [path for path in (ROOT / folder).iterdir() if path.name != "__pycache__"]
    assert files
    for path in files:
        assert installed_files().get(f"{folder}/{path.name}") == f"share/endo_depth_ros/{folder}"


def test_every_python_package_is_installed() -> None:
    folders = {path.parent.relative_to(ROOT) for path in (ROOT / "endo_depth_ros").rglob("*.py")}
    assert {".".join(folder.parts) for folder in folders} == set(distribution().packages)


@pytest.mark.parametrize(("file", "node"), [(file, node) for file, nodes in FILES.items() for node in nodes])
def test_every_parameter_in_the_file_is_one_that_the_node_takes(file: str, node: str) -> None:
    values = load_parameter_file(ROOT / "config" / file, node)
    known = {entry.name: entry for entry in entries(SETTINGS[node])}
    assert values
    for name, value in values.items():
        assert name in known, f"{node} has no parameter {name}"
        assert known[name].checked(value) == known[name].default, f"{node} {name} is not the default"
        assert type(value) is known[name].type, f"{node} {name} needs a decimal point: ROS does not convert"


def test_every_parameter_of_depth_node_is_in_the_file() -> None:
    values = load_parameter_file(ROOT / "config/depth.yaml", "depth_node")
    assert [entry.name for entry in entries(DepthNodeSettings) if entry.name not in values] == []


def test_every_parameter_of_pose_node_but_the_trackers_and_the_scales_is_in_the_file() -> None:
    values = load_parameter_file(ROOT / "config/pose.yaml", "pose_node")
    inherited = {entry.name for cls in (PoseSettings, MetricScaleSettings) for entry in entries(cls)}
    assert {entry.name for entry in entries(PoseNodeSettings)} - inherited - set(values) == set()


@pytest.mark.parametrize("path", sorted((ROOT / "config").glob("*.yaml")), ids=lambda path: path.name)
def test_parameter_files_hold_for_any_namespace(path: Path) -> None:
    for key in yaml.safe_load(path.read_text()):
        assert key.startswith("/**/")
        assert key[len("/**/") :] in SETTINGS


def test_fast_dds_profile_enlarges_shared_memory_and_keeps_the_standard_transports() -> None:
    space = "{http://www.eprosima.com/XMLSchemas/fastRTPS_Profiles}"
    root = ElementTree.parse(ROOT / "config/fastdds.xml").getroot()
    transport = root.find(f".//{space}transport_descriptor")
    assert transport is not None
    assert transport.findtext(f"{space}type") == "SHM"
    assert int(transport.findtext(f"{space}segment_size") or 0) == 64 * 2**20
    participant = root.find(f".//{space}participant")
    assert participant is not None
    assert participant.get("is_default_profile") == "true"
    named = participant.findtext(f".//{space}userTransports/{space}transport_id")
    assert named == transport.findtext(f"{space}transport_id")
    # A UDP transport of our own would reach the network where ROS_LOCALHOST_ONLY forbids it.
    assert root.find(f".//{space}useBuiltinTransports") is None


def rviz_view() -> dict[str, Any]:
    view: dict[str, Any] = yaml.safe_load((ROOT / "rviz/depth.rviz").read_text())["Visualization Manager"]
    return view


def test_rviz_shows_topics_that_depth_node_publishes() -> None:
    topics = {display["Topic"]["Value"] for display in rviz_view()["Displays"] if "Topic" in display}
    source = (ROOT / "endo_depth_ros/nodes/depth_outputs.py").read_text()
    assert topics
    for topic in topics:
        assert f'"{topic}"' in source


def test_rviz_starts_in_the_frame_of_the_video_node() -> None:
    assert rviz_view()["Global Options"]["Fixed Frame"] == VideoSettings(source="unused").frame_id
