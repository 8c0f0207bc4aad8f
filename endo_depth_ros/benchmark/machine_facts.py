"""What a benchmark's figures depend on: the machine, what else it does, and versions."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from endo_depth_ros.depth.runtime import available_cores

CPU_FILE = Path("/proc/cpuinfo")
LIBRARIES = ("numpy", "opencv-python-headless", "torch", "openvino", "rclpy")
# Share of the cores that others may use before figures say more about them than about this package.
QUIET_LOAD = 0.25


@dataclass(frozen=True)
class MachineFacts:
    """memory_mb: all of it, in 10^6 bytes. gpu: its name, or ''. load: runnable processes over the last minute."""

    system: str
    cpu: str
    cores: int
    memory_mb: int
    gpu: str
    load: float

    @property
    def busy(self) -> bool:
        """Whether other work makes figures worse than they would be."""
        return self.load > QUIET_LOAD * self.cores


def look_at_machine() -> MachineFacts:
    """Facts about this machine, and its load now."""
    return MachineFacts(
        system=platform.platform(),
        cpu=read_cpu_name(),
        cores=available_cores(),
        memory_mb=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e6),
        gpu=torch.cuda.get_device_name(0) if torch.cuda.is_available() else "",
        load=round(os.getloadavg()[0], 2),
    )


def read_cpu_name() -> str:
    """The processor's model."""
    lines = CPU_FILE.read_text().splitlines() if CPU_FILE.is_file() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def find_versions() -> dict[str, str]:
    """Python, the libraries that take the time, PyTorch's CUDA, the ROS distribution and middleware."""
    versions = {"python": platform.python_version()}
    for library in LIBRARIES:
        try:
            versions[library] = version(library)
        except PackageNotFoundError:
            versions[library] = "not installed by pip"
    versions["cuda"] = torch.version.cuda or ""
    versions["ros_distro"] = os.environ.get("ROS_DISTRO", "")
    versions["rmw"] = os.environ.get("RMW_IMPLEMENTATION", "default")
    return versions
