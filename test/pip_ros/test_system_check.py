"""The set-up names what a machine lacks, and the command that installs it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "pip_ros" / "environment"))

from system_check import (
    Missing,
    System,
    SystemLacksError,
    check_platform,
    describe_missing,
    find_missing,
    find_missing_library,
    inspect_system,
    install_or_refuse,
)

FIND_PYTHON = Path(__file__).parents[2] / "pip_ros" / "environment" / "find_python.sh"
COMPLETE = System(
    operating_system="Linux",
    machine="x86_64",
    libc=("glibc", "2.36"),
    python_version="3.11",
    has_ensurepip=True,
    has_python_headers=True,
    has_c_compiler=True,
    has_cxx_compiler=True,
)


def test_complete_system_lacks_nothing() -> None:
    check_platform(COMPLETE)
    assert find_missing(COMPLETE) == []


@pytest.mark.parametrize(
    ("system", "package"),
    [
        (replace(COMPLETE, has_ensurepip=False), "python3.11-venv"),
        (replace(COMPLETE, has_python_headers=False), "python3.11-dev"),
        (replace(COMPLETE, has_c_compiler=False), "gcc"),
        (replace(COMPLETE, has_cxx_compiler=False), "g++"),
    ],
)
def test_each_missing_thing_is_named_with_the_command_that_installs_it(system: System, package: str) -> None:
    missing = find_missing(system)
    assert [item.package for item in missing] == [package]
    assert f"sudo apt-get install -y {package}" in describe_missing(missing)


def test_all_missing_things_stand_in_one_command() -> None:
    text = describe_missing([Missing("a C compiler", "gcc"), Missing("a C++ compiler", "g++")])
    assert text.endswith("apt-get install -y gcc g++")


@pytest.mark.parametrize(
    "other",
    [
        replace(COMPLETE, operating_system="Darwin", libc=("", "")),
        replace(COMPLETE, machine="aarch64"),
        replace(COMPLETE, libc=("", "")),
        replace(COMPLETE, libc=("glibc", "2.27")),
    ],
)
def test_platform_without_ros_wheels_is_refused_with_the_way_out(other: System) -> None:
    with pytest.raises(SystemLacksError, match="workspace"):
        check_platform(other)


def test_newer_glibc_of_two_digits_is_accepted() -> None:
    check_platform(replace(COMPLETE, libc=("glibc", "2.100")))


def test_missing_shared_library_is_traced_to_its_package() -> None:
    found = find_missing_library("ImportError: libz.so.1: cannot open shared object file: No such file")
    assert found is not None
    assert found.package == "zlib1g"
    assert find_missing_library("ImportError: No module named 'cv2'") is None


def test_where_installing_is_not_allowed_the_command_is_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("system_check.may_install", lambda: False)
    with pytest.raises(SystemLacksError, match=r"sudo apt-get update && sudo apt-get install -y g\+\+"):
        install_or_refuse([Missing("a C++ compiler", "g++")])


def test_as_root_without_a_terminal_it_says_what_it_installs_and_installs_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    commands = []

    def note(command: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        commands.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr("system_check.may_install", lambda: True)
    monkeypatch.setattr("subprocess.run", note)
    install_or_refuse([Missing("a C++ compiler", "g++")])
    assert [command[:2] for command in commands] == [["apt-get", "update"], ["apt-get", "install"]]
    assert commands[1][-1] == "g++"
    assert "apt-get installs g++" in capsys.readouterr().out


def test_failed_apt_get_is_an_error_that_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("system_check.may_install", lambda: True)
    monkeypatch.setattr("subprocess.run", lambda command, **_: subprocess.CompletedProcess(command, 100))
    with pytest.raises(SystemLacksError, match="apt-get could not install"):
        install_or_refuse([Missing("a C++ compiler", "g++")])


def test_the_machine_that_runs_these_tests_is_described() -> None:
    system = inspect_system()
    assert system.python_version == f"{sys.version_info.major}.{sys.version_info.minor}"
    assert system.operating_system == "Linux"


def find_python(python: str) -> subprocess.CompletedProcess[str]:
    """Run find_python.sh with the variable PYTHON."""
    return subprocess.run(
        [FIND_PYTHON], env={"PYTHON": python, "PATH": "/usr/bin:/bin"}, capture_output=True, text=True
    )


def test_named_python_is_used() -> None:
    assert find_python(sys.executable).stdout.strip() == sys.executable


def test_named_python_that_does_not_fit_is_refused() -> None:
    result = find_python("/bin/no-python")
    assert result.returncode == 1
    assert "PYTHON=/bin/no-python is no Python 3.10 to 3.13" in result.stderr
