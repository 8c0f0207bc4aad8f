"""What this machine has, what is missing and what to do."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from endo_depth_ros.cli.machine import (
    OPTIONAL_MODULES,
    Finding,
    judge_fastdds_profile,
    judge_modules,
    judge_optional,
    judge_python,
    judge_rmw,
    judge_ros_home,
    judge_runtimes,
    judge_shared_memory,
    judge_video,
    judge_weights,
)

NEEDED_MODULES = (
    "numpy", "cv2", "scipy", "torch", "safetensors", "yaml", "tqdm", "simplejpeg", "rosbags", "mcap", "zstandard",
)  # fmt: skip
WEIGHTS = Path(__file__).parents[1] / "weights"
SHARED_MEMORY = Path("/dev/shm")


def configure(parser: argparse.ArgumentParser) -> None:
    """Nothing to declare."""


def run(options: argparse.Namespace) -> int:
    """Print the report; 0 when depth can run on this machine, else 1."""
    findings = examine(os.environ)
    print(format_report(findings))
    return 1 if any(finding.blocks_depth for finding in findings) else 0


def examine(environment: Mapping[str, str]) -> list[Finding]:
    """Look at this machine."""
    missing = find_import_failures(NEEDED_MODULES)
    findings = [
        judge_python(sys.version_info[:3], sys.executable),
        judge_modules(missing),
        judge_ros_home(environment, find_package("rclpy"), Path(sys.prefix)),
        judge_rmw(environment, list_rmw_implementations(environment)),
        judge_fastdds_profile(environment, find_own_profile(environment)),
        judge_shared_memory(*measure_shared_memory()),
    ]
    if "torch" not in missing:
        findings += judge_runtimes(find_runtime_obstacles())
        findings.append(describe_torch())
    findings.append(judge_weights(sorted(WEIGHTS.glob("*.safetensors"))))
    if "cv2" not in missing and "numpy" not in missing:
        findings.append(judge_video(try_video_suffixes()))
    return findings + judge_optional({name: find_package(name) is not None for name in OPTIONAL_MODULES})


def format_report(findings: list[Finding]) -> str:
    """Lines 'mark topic: fact', each shortcoming with an arrow and what to do, and a verdict."""
    width = max(len(finding.topic) for finding in findings)
    lines = []
    for finding in findings:
        mark = "✗" if finding.blocks_depth else "!" if finding.remedy else "✓"
        lines.append(f"{mark} {finding.topic:<{width}}  {finding.fact}")
        if finding.remedy:
            lines.append(f"  {'':<{width}}  → {finding.remedy}")
    blocked = any(finding.blocks_depth for finding in findings)
    lines.append("Depth can't run here: see ✗ above." if blocked else "Depth can run on this machine.")
    return "\n".join(lines)


def find_import_failures(modules: tuple[str, ...]) -> dict[str, str]:
    """Module → the reason, for those that can't be imported."""
    failures = {}
    for name in modules:
        try:
            importlib.import_module(name)
        except (ImportError, OSError, AttributeError) as error:
            # Binary packages built for another NumPy raise AttributeError, those without a system library OSError.
            failures[name] = str(error).splitlines()[0]
    return failures


def find_package(name: str) -> Path | None:
    """The folder that `import name` would load, None where there is none; does not import it."""
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec is not None and spec.origin else None


def list_rmw_implementations(environment: Mapping[str, str]) -> list[str]:
    """RMW implementations in the ament index, as rclpy would find them."""
    prefixes = environment.get("AMENT_PREFIX_PATH", "").split(os.pathsep)
    index = "share/ament_index/resource_index/rmw_typesupport"
    names = {file.name for prefix in prefixes if prefix for file in Path(prefix, index).glob("rmw_*")}
    # The package that loads the chosen one is in the same index.
    return sorted(names - {"rmw_implementation"})


def find_own_profile(environment: Mapping[str, str]) -> Path | None:
    """Our installed fastdds.xml."""
    for prefix in environment.get("AMENT_PREFIX_PATH", "").split(os.pathsep):
        profile = Path(prefix, "share", "endo_depth_ros", "config", "fastdds.xml")
        if prefix and profile.is_file():
            return profile
    return None


def measure_shared_memory() -> tuple[float | None, float]:
    """Size and free room of /dev/shm in MB."""
    if not SHARED_MEMORY.is_dir():
        return None, 0.0
    usage = shutil.disk_usage(SHARED_MEMORY)
    return usage.total / 1e6, usage.free / 1e6


def find_runtime_obstacles() -> dict[str, str]:
    """Runtime → why it can't be used here, '' where it can."""
    from endo_depth_ros.depth.runtimes import RUNTIMES

    return {name: RUNTIMES.get(name).obstacle() for name in RUNTIMES}


def describe_torch() -> Finding:
    """PyTorch's build, the GPU it sees and the CPU threads it uses."""
    import torch

    if torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info(0)
        memory = f"{total / 1e9:.0f} GB ({free / 1e9:.0f} GB free)"
        return Finding("GPU", f"{torch.cuda.get_device_name(0)}, {memory}, PyTorch {torch.__version__}")
    return Finding("GPU", f"none in use: PyTorch {torch.__version__} on {torch.get_num_threads()} CPU threads")


def try_video_suffixes() -> dict[str, bool]:
    """Suffix → whether a short video can be written and read again."""
    from endo_depth_ros.bags.video_writer import VIDEO_SUFFIXES

    with tempfile.TemporaryDirectory() as folder:
        return {suffix: can_write_video(Path(folder, f"try{suffix}")) for suffix in VIDEO_SUFFIXES}


def can_write_video(path: Path) -> bool:
    """Whether OpenCV writes frames to the file and reads one back."""
    import cv2
    import numpy as np

    from endo_depth_ros.bags.output import OutputError
    from endo_depth_ros.bags.video_writer import VideoWriter

    try:
        with VideoWriter(path, 30.0) as writer:
            for _ in range(3):
                writer.write(np.zeros((64, 64, 3), np.uint8))
    except OutputError:
        return False
    capture = cv2.VideoCapture(str(path))
    is_read, _ = capture.read()
    capture.release()
    return bool(is_read)
