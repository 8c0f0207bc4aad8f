"""endo-depth doctor: what it makes of a machine, and its exit code."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import pytest

from endo_depth_ros.cli import doctor, machine
from endo_depth_ros.cli.machine import Finding

WHEELS = Path("/home/u/p/.venv")
WHEELS_RCLPY = WHEELS / "lib/python3.11/site-packages/rclpy"
DISTRIBUTION_RCLPY = Path("/opt/ros/jazzy/lib/python3.12/site-packages/rclpy")


def test_python_out_of_range_says_which_to_use() -> None:
    assert machine.judge_python((3, 12, 1), "/usr/bin/python3").remedy == ""
    assert "3.10 to 3.14" in machine.judge_python((3, 9, 2), "/usr/bin/python3").remedy


def test_missing_package_blocks_depth_and_is_named_with_its_reason() -> None:
    finding = machine.judge_modules({"cv2": "libGL.so.1: cannot open shared object file"})
    assert finding.blocks_depth
    assert "cv2: libGL.so.1" in finding.fact
    assert "make setup" in finding.remedy


def test_complete_packages_block_nothing() -> None:
    assert not machine.judge_modules({}).blocks_depth


def test_ros_home_is_the_wheels_when_rclpy_lies_in_this_environment() -> None:
    finding = machine.judge_ros_home({}, WHEELS_RCLPY, WHEELS)
    assert "wheels" in finding.fact
    assert finding.remedy == ""


def test_ros_home_is_the_sourced_distribution_when_rclpy_lies_outside() -> None:
    finding = machine.judge_ros_home({"ROS_DISTRO": "jazzy"}, DISTRIBUTION_RCLPY, Path("/usr"))
    assert finding.fact.startswith("jazzy")
    assert finding.remedy == ""


def test_distribution_sourced_over_the_wheels_is_a_shortcoming() -> None:
    finding = machine.judge_ros_home({"ROS_DISTRO": "jazzy"}, WHEELS_RCLPY, WHEELS)
    assert "no ROS is sourced" in finding.remedy


def test_no_ros_says_how_to_get_it_but_lets_depth_run() -> None:
    finding = machine.judge_ros_home({}, None, WHEELS)
    assert "make setup" in finding.remedy
    assert not finding.blocks_depth


def test_rmw_that_is_not_installed_is_a_shortcoming() -> None:
    finding = machine.judge_rmw({"RMW_IMPLEMENTATION": "rmw_cyclonedds_cpp"}, ["rmw_fastrtps_cpp"])
    assert "rmw_cyclonedds_cpp" in finding.fact
    assert "rmw_fastrtps_cpp" in finding.remedy


def test_users_own_fastdds_profile_is_reported_as_in_force(tmp_path: Path) -> None:
    profile = tmp_path / "mine.xml"
    profile.touch()
    finding = machine.judge_fastdds_profile({"FASTDDS_DEFAULT_PROFILES_FILE": str(profile)}, tmp_path / "ours.xml")
    assert finding.fact == str(profile)
    assert finding.remedy == ""


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"FASTDDS_BUILTIN_TRANSPORTS": "UDPv4"}, "FASTDDS_BUILTIN_TRANSPORTS=UDPv4"),
        ({"RMW_IMPLEMENTATION": "rmw_cyclonedds_cpp"}, "rmw_cyclonedds_cpp"),
    ],
)
def test_our_profile_is_not_claimed_where_the_user_chose_otherwise(environment: dict[str, str], words: str) -> None:
    finding = machine.judge_fastdds_profile(environment, Path("/ours/fastdds.xml"))
    assert words in finding.fact
    assert "ours" not in finding.fact
    assert finding.remedy == ""


def test_fastdds_profile_that_is_no_file_is_a_shortcoming(tmp_path: Path) -> None:
    finding = machine.judge_fastdds_profile({"FASTRTPS_DEFAULT_PROFILES_FILE": str(tmp_path / "gone.xml")}, None)
    assert "gone.xml" in finding.fact
    assert finding.remedy


@pytest.mark.parametrize(
    ("total_mb", "free_mb", "remedy"),
    [(8000.0, 7000.0, ""), (67.0, 67.0, "--shm-size"), (8000.0, 20.0, "rm /dev/shm"), (None, 0.0, "--shm-size")],
)
def test_shared_memory_too_small_or_full_says_what_to_do(total_mb: float | None, free_mb: float, remedy: str) -> None:
    finding = machine.judge_shared_memory(total_mb, free_mb)
    assert remedy in finding.remedy
    assert bool(finding.remedy) == bool(remedy)


def test_runtimes_block_depth_only_when_none_is_usable() -> None:
    one = machine.judge_runtimes({"torch-cuda": "no GPU", "torch-cpu": ""})
    none = machine.judge_runtimes({"torch-cuda": "no GPU"})
    assert not any(finding.blocks_depth for finding in one)
    assert all(finding.blocks_depth for finding in none)
    assert one[0].remedy == "no GPU"


def test_no_weights_is_a_fact_and_not_a_shortcoming() -> None:
    assert machine.judge_weights([]).remedy == ""
    assert "shading" in machine.judge_weights([]).fact
    assert "lite0.safetensors" in machine.judge_weights([Path("w/lite0.safetensors")]).fact


def test_unwritable_video_suffix_is_named() -> None:
    finding = machine.judge_video({".mp4": False, ".avi": True})
    assert ".mp4" in finding.fact
    assert ".avi" not in finding.fact
    assert finding.remedy


def test_report_shows_each_remedy_under_its_fact_and_ends_with_the_verdict() -> None:
    lines = doctor.format_report([Finding("a", "fine"), Finding("b", "bad", "mend it", blocks_depth=True)]).splitlines()
    assert lines[0].startswith("✓ a")
    assert lines[1].startswith("✗ b")
    assert "mend it" in lines[2]
    assert "can't run" in lines[-1]


def test_import_failure_carries_the_reason() -> None:
    failures = doctor.find_import_failures(("numpy", "no_such_module_anywhere"))
    assert list(failures) == ["no_such_module_anywhere"]
    assert "no_such_module_anywhere" in failures["no_such_module_anywhere"]


def test_rmw_implementations_come_from_every_prefix_of_the_ament_index(tmp_path: Path) -> None:
    for prefix, name in (("a", "rmw_fastrtps_cpp"), ("b", "rmw_zenoh_cpp"), ("b", "rmw_implementation")):
        index = tmp_path / prefix / "share/ament_index/resource_index/rmw_typesupport"
        index.mkdir(parents=True, exist_ok=True)
        (index / name).touch()
    environment = {"AMENT_PREFIX_PATH": f"{tmp_path / 'a'}{os.pathsep}{tmp_path / 'b'}"}
    assert doctor.list_rmw_implementations(environment) == ["rmw_fastrtps_cpp", "rmw_zenoh_cpp"]


def test_doctor_passes_on_a_machine_that_runs_these_tests(capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.run(argparse.Namespace()) == 0
    report = capsys.readouterr().out
    assert sys.executable in report
    assert "Depth can run" in report


def test_doctor_fails_when_a_needed_package_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "NEEDED_MODULES", ("no_such_module_anywhere",))
    assert doctor.run(argparse.Namespace()) == 1
    assert "no_such_module_anywhere" in capsys.readouterr().out
