"""The set-up leaves foreign ROS alone, finds every stand-in and tells why pip failed."""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "pip_ros" / "environment"))

import make_environment
from make_environment import announce_sourced_ros, find_reason, find_stand_ins, isolated

ROOT = Path(__file__).parents[2]


def test_most_telling_line_of_pip_is_the_reason() -> None:
    lines = [
        "Collecting numpy\n",
        "  Could not fetch URL https://index/simple/numpy/: Max retries exceeded\n",
        "ERROR: No matching distribution found for numpy\n",
        "error: subprocess-exited-with-error\n",
    ]
    assert find_reason(lines) == "Could not fetch URL https://index/simple/numpy/: Max retries exceeded"


def test_output_without_a_sign_gives_no_reason() -> None:
    assert find_reason(["Collecting numpy\n"]) == ""


def test_pip_does_not_see_a_sourced_distribution_or_another_environment() -> None:
    environment = isolated(
        {
            "AMENT_PREFIX_PATH": "/opt/ros/jazzy",
            "PYTHONPATH": "/opt/ros/jazzy/lib/python3.12/site-packages",
            "LD_LIBRARY_PATH": "/opt/ros/jazzy/lib",
            "ROS_DISTRO": "jazzy",
            "_ROS_WHEELS_BOOTSTRAP_COMPLETE": "1",
            "HOME": "/home/u",
        }
    )
    assert "/opt/ros" not in " ".join(environment.values())
    assert "_ROS_WHEELS_BOOTSTRAP_COMPLETE" not in environment
    assert environment["HOME"] == "/home/u"
    assert environment["PIP_CONSTRAINT"].endswith("constraints.txt")


def test_pip_sees_one_file_of_pins_also_where_its_path_has_spaces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make_environment, "CONSTRAINTS", Path("/a b/ü/constraints.txt"))
    environment = isolated({})
    for name in ("PIP_CONSTRAINT", "PIP_BUILD_CONSTRAINT"):
        (pins,) = environment[name].split()
        assert unquote(urlparse(pins).path) == "/a b/ü/constraints.txt"


def test_sourced_distribution_is_told_how_to_build_with_colcon(capsys: pytest.CaptureFixture[str]) -> None:
    announce_sourced_ros({"ROS_DISTRO": "jazzy"})
    assert "colcon build" in capsys.readouterr().out


def test_without_a_sourced_distribution_nothing_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    announce_sourced_ros({})
    assert capsys.readouterr().out == ""


def test_every_package_of_pip_ros_is_a_stand_in_and_the_scripts_are_none() -> None:
    names = [path.name for path in find_stand_ins(ROOT / "pip_ros")]
    assert names == ["message_filters", "tf2_msgs", "tf2_ros", "tf_transformations"]


def test_share_links_lead_to_files_of_the_project() -> None:
    assert [target for target in make_environment.SHARE_LINKS.values() if not (ROOT / target).exists()] == []
