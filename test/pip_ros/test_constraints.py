"""What `make setup` installed is exactly what constraints.txt pins."""

from __future__ import annotations

import re
import sys
import sysconfig
from importlib.metadata import distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PINS = [
    Requirement(line)
    for line in (ROOT / "pip_ros" / "constraints.txt").read_text().splitlines()
    if line and not line.startswith("#")
]


def normalise(name: str) -> str:
    """A distribution's name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("version", ["3.10", "3.11", "3.12", "3.13"])
def test_every_package_has_one_exact_version_for_each_python(version: str) -> None:
    environment = {"python_version": version, "python_full_version": f"{version}.0"}
    names = [normalise(pin.name) for pin in PINS if pin.marker is None or pin.marker.evaluate(environment)]
    assert len(names) == len(set(names))
    assert set(names) == {normalise(pin.name) for pin in PINS}
    assert all(re.fullmatch(r"==[^*,]+", str(pin.specifier)) for pin in PINS)


@pytest.mark.skipif(Path(sys.prefix) != ROOT / ".venv", reason="only the .venv of make is held to the pins")
def test_every_installed_package_is_pinned_and_has_the_pinned_version() -> None:
    pins = {normalise(pin.name): pin.specifier for pin in PINS if pin.marker is None or pin.marker.evaluate()}
    installed = {normalise(each.name): each.version for each in distributions(path=[sysconfig.get_path("purelib")])}
    # Ours; what a CUDA build of torch needs and pins itself; and the pip that Python brings.
    unpinned = ("endo-depth-", "tf2-msgs", "nvidia-", "cuda-", "triton", "pip")
    for name in list(installed):
        # rclpy comes inside the wheel ros-rclpy, and so on.
        if f"ros-{name}" in installed or name.startswith(unpinned):
            del installed[name]
    assert {name for name in installed if name not in pins} == set()
    assert [f"{name} {version}" for name, version in installed.items() if not pins[name].contains(version)] == []
