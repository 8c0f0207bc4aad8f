"""depth.launch.py: its text everywhere, its behaviour where the launch packages are installed."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from manifest import ROOT, executables

from endo_depth_ros.nodes.depth_settings import DepthNodeSettings
from endo_depth_ros.nodes.replay_settings import ReplaySettings
from endo_depth_ros.nodes.video_settings import VideoSettings
from endo_depth_ros.settings import entries

FILE = ROOT / "launch/depth.launch.py"
TREE = ast.parse(FILE.read_text())
EXPECTED_ARGUMENTS = {
    "params_file", "namespace", "use_sim_time", "log_level", "autostart", "image_topic", "camera_info_topic",
    "image_transport", "rviz", "video", "camera", "bag",
}  # fmt: skip
NODE_SETTINGS = {"depth_node": DepthNodeSettings, "video_node": VideoSettings, "replay_node": ReplaySettings}


def arguments() -> dict[str, tuple[ast.expr, ast.expr]]:
    """Default and description of each launch argument, as written."""
    table = next(
        node.value
        for node in TREE.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "ARGUMENTS"
    )
    assert isinstance(table, ast.Dict)
    rows: dict[str, tuple[ast.expr, ast.expr]] = {}
    for key, row in zip(table.keys, table.values, strict=True):
        assert isinstance(key, ast.Constant)
        assert isinstance(row, ast.Tuple)
        rows[str(key.value)] = (row.elts[0], row.elts[1])
    return rows


def function(name: str) -> ast.FunctionDef:
    return next(node for node in TREE.body if isinstance(node, ast.FunctionDef) and node.name == name)


def strings(tree: ast.AST) -> set[str]:
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def calls(tree: ast.AST, name: str) -> list[ast.Call]:
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
    ]


def test_arguments_that_people_expect_are_there() -> None:
    assert set(arguments()) >= EXPECTED_ARGUMENTS


@pytest.mark.parametrize("name", sorted(arguments()))
def test_every_argument_has_a_description(name: str) -> None:
    description = arguments()[name][1]
    assert isinstance(description, ast.Constant)
    assert len(str(description.value)) > 10


def test_every_value_that_is_used_is_an_argument() -> None:
    used = {
        node.slice.value
        for node in ast.walk(TREE)
        if isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Name)
        and node.value.id == "values"
        and isinstance(node.slice, ast.Constant)
    }
    converted = [
        argument for name in ("boolean", "text", "number") for call in calls(TREE, name) for argument in call.args
    ]
    overriding = [argument for call in calls(TREE, "given") for argument in call.args[2:]]
    named = {value for argument in (*converted, *overriding) for value in strings(argument)}
    assert used | named == set(arguments())


@pytest.mark.parametrize("name", sorted(NODE_SETTINGS))
def test_every_executable_exists_and_knows_its_parameters(name: str) -> None:
    body = function(name)
    (node,) = calls(body, "ros_node")
    assert isinstance(node.args[0], ast.Constant)
    assert node.args[0].value == name
    assert name in executables()
    bodies = [body, function("frame_parameters")] if name == "depth_node" else [body]
    literal_keys = {
        key.value
        for each in bodies
        for table in ast.walk(each)
        if isinstance(table, ast.Dict)
        for key in table.keys
        if isinstance(key, ast.Constant)
    }
    given = [call for each in bodies for call in calls(each, "given")]
    overrides = {value for call in given for argument in call.args[2:] for value in strings(argument)}
    assert overrides
    assert literal_keys | overrides <= {entry.name for entry in entries(NODE_SETTINGS[name])}


def test_every_file_that_is_named_exists() -> None:
    named = {text for text in strings(TREE) if text.endswith((".yaml", ".xml", ".rviz"))}
    assert named == {"depth.yaml", "pose.yaml", "depth.rviz"}
    for name in named:
        assert list(ROOT.glob(f"*/{name}"))


def test_the_page_about_launching_has_every_argument() -> None:
    page = (ROOT / "docs/launch.md").read_text()
    assert [name for name in arguments() if f"| `{name}` |" not in page] == []


# With the official launch packages


@pytest.fixture
def module() -> ModuleType:
    """The launch file, imported; needs a workspace with the launch packages and this one."""
    for needed in ("launch", "launch_ros"):
        spec = importlib.util.find_spec(needed)
        if spec is None or spec.origin is None:
            pytest.skip(f"{needed} is not installed")
    spec = importlib.util.spec_from_file_location("depth_launch", FILE)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


@pytest.fixture
def start(module: ModuleType) -> Callable[..., list[Any]]:
    """Start the launch file with arguments; returns the processes that it would run."""
    from launch import LaunchContext

    def run(**given: str) -> list[Any]:
        context = LaunchContext()
        for entity in module.generate_launch_description().entities[:-1]:
            context.launch_configurations.setdefault(entity.name, given.get(entity.name, entity.default_value[0].text))
        return list(module.start(context))

    return run


def names(actions: list[Any]) -> list[str]:
    return [action.node_executable for action in actions]


def test_depth_node_alone_by_default(start: Callable[..., list[Any]]) -> None:
    assert names(start()) == ["depth_node"]


@pytest.mark.parametrize(
    ("source", "node"), [("video", "video_node"), ("camera", "video_node"), ("bag", "replay_node")]
)
def test_a_source_brings_its_node(start: Callable[..., list[Any]], source: str, node: str) -> None:
    assert names(start(**{source: str(ROOT)})) == ["depth_node", node]


def test_composed_starts_one_process_in_place_of_depth_node(start: Callable[..., list[Any]]) -> None:
    assert names(start(composed="true", video=str(ROOT))) == ["navigator", "video_node"]


def test_rviz_comes_when_asked_for(
    module: ModuleType, start: Callable[..., list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "get_package_prefix", lambda name: "/opt/ros")
    assert names(start(rviz="true")) == ["depth_node", "rviz2"]


def test_missing_rviz_is_told_before_anything_starts(
    module: ModuleType, start: Callable[..., list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def find_nothing(name: str) -> str:
        raise module.PackageNotFoundError(name)

    monkeypatch.setattr(module, "get_package_prefix", find_nothing)
    with pytest.raises(ValueError, match="rviz2 is not installed; apt install"):
        start(rviz="true")
    assert names(start(rviz="false")) == ["depth_node"]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"video": "a.mp4", "bag": "b"}, "give one source"),
        ({"params_file": "/nowhere.yaml"}, "no such file"),
        ({"pose_params_file": "/nowhere.yaml"}, "pose_params_file /nowhere.yaml: no such file"),
        ({"composed": "maybe"}, "composed is 'maybe' but must be true or false"),
        ({"image_topic": "/a/image_raw/compressed"}, "image_transport:=compressed"),
        ({"camera_file": "c.yaml"}, "belongs to video or camera"),
        ({"video": "nowhere.mp4"}, "video nowhere.mp4: no such file or folder"),
        ({"bag": "/nowhere"}, "bag /nowhere: no such file or folder"),
        ({"camera": "0", "camera_file": "nowhere.yaml"}, "camera_file nowhere.yaml: no such file"),
        ({"camera": "0", "camera_file": "c.yaml", "hfov_deg": "70"}, "leave hfov_deg out"),
        ({"loop": "true"}, "loop belongs to video or bag"),
        ({"camera": "0", "rate": "2.0"}, "rate belongs to video or bag"),
        ({"log_level": "loud"}, "log_level is 'loud'; give one of debug, info"),
        ({"log_level": ""}, "give one of debug"),
        ({"rviz": "perhaps"}, "must be true or false"),
        ({"hfov_deg": "wide"}, "must be a number"),
    ],
)
def test_bad_arguments_are_one_sentence(start: Callable[..., list[Any]], given: dict[str, str], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        start(**given)


def test_camera_info_lies_beside_the_images(module: ModuleType) -> None:
    values = {"image_topic": "/scope/image_raw", "camera_info_topic": ""}
    assert ("camera_info", "/scope/camera_info") in module.image_remappings(values)
    assert ("image_raw/compressed", "/scope/image_raw/compressed") in module.image_remappings(values)
