"""What the system must have before .venv can be made, and the command that installs what it lacks."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

# The ROS wheels are built for manylinux_2_28.
OLDEST_GLIBC = (2, 28)

# What the wheels load from the system beside glibc, and what brings it on Debian and Ubuntu.
PACKAGE_OF_LIBRARY = {"libstdc++.so.6": "libstdc++6", "libgcc_s.so.1": "libgcc-s1", "libz.so.1": "zlib1g"}


class SystemLacksError(RuntimeError):
    """The system lacks something; the text says what and what to do."""


@dataclass(frozen=True)
class System:
    """What the set-up must know about the machine it runs on."""

    operating_system: str
    machine: str
    libc: tuple[str, str]
    python_version: str
    has_ensurepip: bool
    has_python_headers: bool
    has_c_compiler: bool
    has_cxx_compiler: bool


@dataclass(frozen=True)
class Missing:
    """A thing the system lacks, and the Debian package that brings it."""

    what: str
    package: str


def inspect_system() -> System:
    """Look at this machine and at the Python that runs this."""
    return System(
        operating_system=platform.system(),
        machine=platform.machine(),
        libc=platform.libc_ver(),
        python_version=f"{sys.version_info.major}.{sys.version_info.minor}",
        has_ensurepip=importlib.util.find_spec("ensurepip") is not None,
        has_python_headers=Path(sysconfig.get_path("include"), "Python.h").is_file(),
        has_c_compiler=shutil.which(os.environ.get("CC", "cc")) is not None,
        has_cxx_compiler=shutil.which(os.environ.get("CXX", "c++")) is not None,
    )


def check_platform(system: System) -> None:
    """Raise SystemLacksError where no ROS wheels exist for the platform."""
    name, version = system.libc
    number = tuple(int(part) for part in version.split(".")[:2]) if version else ()
    if system.operating_system == "Linux" and system.machine == "x86_64" and name == "glibc" and number >= OLDEST_GLIBC:
        return
    raise SystemLacksError(
        f"this machine is {system.operating_system} {system.machine} with {name or 'no glibc'} {version}".rstrip()
        + ", and ROS wheels exist for Linux x86_64 with glibc 2.28 or newer only; "
        "build the package in a ROS 2 workspace instead (docs/installing.md)"
    )


def find_missing(system: System) -> list[Missing]:
    """What must be installed before .venv can be made."""
    python = f"python{system.python_version}"
    needed = [
        (system.has_ensurepip, Missing(f"the venv module of Python {system.python_version}", f"{python}-venv")),
        (system.has_python_headers, Missing(f"the headers of Python {system.python_version}", f"{python}-dev")),
        (system.has_c_compiler, Missing("a C compiler", "gcc")),
        (system.has_cxx_compiler, Missing("a C++ compiler", "g++")),
    ]
    return [missing for present, missing in needed if not present]


def describe_missing(missing: list[Missing]) -> str:
    """One sentence that names what is missing and the command that installs it."""
    packages = " ".join(item.package for item in missing)
    return (
        f"this machine lacks {', '.join(item.what for item in missing)}; install with: "
        f"sudo apt-get update && sudo apt-get install -y {packages}"
    )


def find_missing_library(message: str) -> Missing | None:
    """The library that an ImportError complains about, where Debian's package of it is known."""
    for library, package in PACKAGE_OF_LIBRARY.items():
        if library in message:
            return Missing(f"the system library {library}", package)
    return None


def may_install() -> bool:
    """Whether to install without asking: root, apt-get, and nobody at the terminal to ask."""
    return os.geteuid() == 0 and not sys.stdin.isatty() and shutil.which("apt-get") is not None


def install_or_refuse(missing: list[Missing]) -> None:
    """Install what is missing where that is allowed; else raise SystemLacksError with the command to run."""
    if not missing:
        return
    if not may_install():
        raise SystemLacksError(describe_missing(missing))
    packages = [item.package for item in missing]
    print(f"[set-up] {describe_missing(missing)}")
    print(f"[set-up] running as root: apt-get installs {' '.join(packages)}", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *packages]):
        if subprocess.run(["apt-get", *command], env=environment, stdin=subprocess.DEVNULL).returncode:
            raise SystemLacksError(f"apt-get could not install {' '.join(packages)}; {describe_missing(missing)}")
