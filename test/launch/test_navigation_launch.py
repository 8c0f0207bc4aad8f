"""navigation.launch.py: its text everywhere, its behaviour where the launch packages are installed."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from manifest import ROOT, executables

from endo_depth_ros.nodes.pose_settings import PoseNodeSettings
from endo_depth_ros.settings import entries

FILE = ROOT / "launch/navigation.launch.py"
TREE = ast.parse(FILE.read_text())


def table(name: str) -> Any:
    """A constant of the file; what is computed in it is None."""
    value = next(
        node.value
        for node in TREE.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == name
    )
    if isinstance(value, ast.Dict):
        return [key.value for key in value.keys if isinstance(key, ast.Constant)]
    return ast.literal_eval(value)


def test_every_argument_is_one_of_depth_launch_too_and_on_the_page() -> None:
    depth, page = (ROOT / "launch/depth.launch.py").read_text(), (ROOT / "docs/launch.md").read_text()
    own = page[page.index("## Depth and pose") :]
    for name in table("ARGUMENTS"):
        assert f'    "{name}": (' in depth
        assert f"| `{name}` |" in own


def test_what_pose_node_is_given_are_its_parameters() -> None:
    assert set(table("SHARED")) <= {entry.name for entry in entries(PoseNodeSettings)}
    assert {"pose_node", "navigator"} <= set(executables())


def test_rviz_shows_what_the_nodes_publish() -> None:
    view = yaml.safe_load((ROOT / "rviz/navigation.rviz").read_text())["Visualization Manager"]
    shown = {display["Topic"]["Value"] for display in view["Displays"] if "Topic" in display}
    sources = "".join((ROOT / f"endo_depth_ros/nodes/{n}_outputs.py").read_text() for n in ("depth", "pose", "refined"))
    assert {"path", "depth/points", "refined_depth/points"} <= shown
    assert [topic for topic in shown if f'"{topic}"' not in sources] == []
    assert view["Global Options"]["Fixed Frame"] == PoseNodeSettings().map_frame


@pytest.fixture
def start_pose() -> Callable[..., list[Any]]:
    """What the file starts beside depth.launch.py, with the official launch packages."""
    for needed in ("launch", "launch_ros"):
        spec = importlib.util.find_spec(needed)
        if spec is None or spec.origin is None:
            pytest.skip(f"{needed} is not installed")
    from launch import LaunchContext

    spec = importlib.util.spec_from_file_location("navigation_launch", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    plain = dict.fromkeys(("namespace", "bag", *module.SHARED), "")
    files = {"params_file": "depth.yaml", "pose_params_file": "pose.yaml"}

    def run(**given: str) -> list[Any]:
        context = LaunchContext()
        values = {**plain, **files, "composed": "false", "log_level": "info", "use_sim_time": "auto", **given}
        context.launch_configurations.update(values)
        return list(module.start_pose(context))

    return run


def test_pose_node_is_beside_depth_node_or_in_its_process(start_pose: Callable[..., list[Any]]) -> None:
    assert [node.node_executable for node in start_pose()] == ["pose_node"]
    assert start_pose(composed="true") == []
