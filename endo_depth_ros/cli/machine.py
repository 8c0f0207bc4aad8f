"""What this machine has for depth: pure judgements of facts, each with what to do about a shortcoming."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from endo_depth_ros.nodes.fastdds_profile import PROFILE_VARIABLES, TRANSPORTS_VARIABLE

OLDEST_PYTHON, NEWEST_PYTHON = (3, 10), (3, 14)

# Each process with config/fastdds.xml takes 64 MB of /dev/shm; source, depth node, recorder and a viewer are four.
SHARED_MEMORY_NEEDED_MB = 256

# Module to look for → what it is for and how to get it.
OPTIONAL_MODULES = {
    "gtsam": ("camera poses", "pip install gtsam; with Python 3.10 gtsam==4.2 and numpy<2"),
    "matplotlib": ("reports of demo and evaluate", "pip install matplotlib"),
    "onnx": ("export-onnx", "pip install onnx onnxscript"),
    "onnxscript": ("export-onnx", "pip install onnx onnxscript"),
    "evo": ("trajectory metrics", "pip install evo (GPL-3)"),
    "cv_bridge": ("unusual image encodings", "apt install ros-$ROS_DISTRO-cv-bridge; the usual encodings need nothing"),
}


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    remedy: what to do, '' where all is well. blocks_depth: whether depth can't run until then.
    """

    topic: str
    fact: str
    remedy: str = ""
    blocks_depth: bool = False


def judge_python(version: tuple[int, int, int], executable: str) -> Finding:
    """The interpreter."""
    fact = f"{'.'.join(map(str, version))} ({executable})"
    if OLDEST_PYTHON <= version[:2] <= NEWEST_PYTHON:
        return Finding("Python", fact)
    return Finding("Python", fact, "use Python 3.10 to 3.14")


def judge_modules(missing: Mapping[str, str]) -> Finding:
    """The packages that depth can't do without. missing: module → why it can't be imported."""
    if not missing:
        return Finding("packages", "all that depth needs can be imported")
    return Finding(
        "packages",
        "; ".join(f"{module}: {reason}" for module, reason in missing.items()),
        "without ROS run make setup; in a ROS workspace run rosdep install and "
        "pip install torch openvino safetensors simplejpeg rosbags mcap",
        blocks_depth=True,
    )


def judge_ros_home(environment: Mapping[str, str], rclpy_folder: Path | None, prefix: Path) -> Finding:
    """Where ROS comes from: a sourced distribution, the wheels of this environment, or nowhere.

    rclpy_folder: what `import rclpy` would load, None where nothing. prefix: sys.prefix.
    """
    distribution = environment.get("ROS_DISTRO", "")
    if rclpy_folder is None:
        remedy = "source /opt/ros/<distribution>/setup.bash, or run make setup; endo-depth process needs no ROS"
        return Finding("ROS", f"{distribution or 'none'}, no rclpy for this Python", remedy)
    in_prefix = prefix in rclpy_folder.parents and "site-packages" in rclpy_folder.parts
    if not in_prefix:
        return Finding("ROS", f"{distribution or 'unnamed distribution'}, rclpy from {rclpy_folder}")
    if distribution:
        remedy = "use one of them: a shell in which no ROS is sourced, or the workspace's own endo_depth_ros"
        return Finding("ROS", f"wheels in {prefix}, with ROS 2 {distribution} sourced over them", remedy)
    return Finding("ROS", f"wheels in {prefix} (no ROS distribution sourced)")


def judge_rmw(environment: Mapping[str, str], installed: Sequence[str]) -> Finding:
    """The middleware in force. installed: RMW implementations that were found."""
    chosen = environment.get("RMW_IMPLEMENTATION", "")
    if chosen and installed and chosen not in installed:
        remedy = f"unset RMW_IMPLEMENTATION, or choose one of: {', '.join(installed)}"
        return Finding("RMW", f"{chosen} (RMW_IMPLEMENTATION), which is not installed", remedy)
    if chosen:
        return Finding("RMW", f"{chosen} (RMW_IMPLEMENTATION)")
    return Finding("RMW", f"the default, of: {', '.join(installed)}" if installed else "none found")


def judge_fastdds_profile(environment: Mapping[str, str], own_profile: Path | None) -> Finding:
    """The Fast DDS profile: the user's own choice, ours, or none where the user chose transports or another RMW.

    own_profile: our installed fastdds.xml.
    """
    chosen = {name: environment[name] for name in PROFILE_VARIABLES if environment.get(name)}
    lost = [f"{name}={path}" for name, path in chosen.items() if not Path(path).is_file()]
    if lost:
        return Finding("Fast DDS profile", f"{', '.join(lost)}: no such file", "correct or unset the variable")
    if chosen:
        return Finding("Fast DDS profile", ", ".join(dict.fromkeys(chosen.values())))
    rmw, transports = environment.get("RMW_IMPLEMENTATION", ""), environment.get(TRANSPORTS_VARIABLE, "")
    if rmw and not rmw.startswith("rmw_fastrtps"):
        return Finding("Fast DDS profile", f"not needed: {rmw} is in force")
    if transports:
        return Finding("Fast DDS profile", f"none, since you chose {TRANSPORTS_VARIABLE}={transports}")
    if own_profile is None:
        remedy = "install the package (colcon build, or make setup), or large images may be lost"
        return Finding("Fast DDS profile", "none, and the package's own is not installed", remedy)
    return Finding("Fast DDS profile", f"none chosen; endo_depth_ros starts its processes with {own_profile}")


def judge_shared_memory(total_mb: float | None, free_mb: float) -> Finding:
    """The room for images between processes, in 10^6 bytes; total None where there is no /dev/shm."""
    if total_mb is None:
        return Finding("/dev/shm", "not there", "start the container with --shm-size=1g; images take the slow way")
    fact = f"{total_mb:.0f} MB, {free_mb:.0f} MB free"
    if total_mb < SHARED_MEMORY_NEEDED_MB:
        remedy = "images take the slow way: docker run --shm-size=1g, or mount -o remount,size=1g /dev/shm"
        return Finding("/dev/shm", fact, remedy)
    if free_mb < SHARED_MEMORY_NEEDED_MB:
        return Finding("/dev/shm", fact, "stop ROS processes, then remove what they left: rm /dev/shm/fastrtps_*")
    return Finding("/dev/shm", fact)


def judge_runtimes(obstacles: Mapping[str, str]) -> list[Finding]:
    """What networks can run on. obstacles: runtime → why it can't be used here, '' where it can."""
    none_usable = all(obstacles.values())
    return [
        Finding(f"runtime {name}", "not usable" if obstacle else "usable", obstacle, none_usable)
        for name, obstacle in obstacles.items()
    ]


def judge_weights(files: Sequence[Path]) -> Finding:
    """Networks that the package brings."""
    if files:
        return Finding("weights", ", ".join(file.name for file in files))
    return Finding("weights", "none in the package; only the model shading works without")


def judge_optional(present: Mapping[str, bool]) -> list[Finding]:
    """Optional packages. present: module → whether it is there. Absence is no shortcoming: the fact says what for."""
    findings = []
    for module, is_present in present.items():
        purpose, source = OPTIONAL_MODULES[module]
        fact = f"there ({purpose})" if is_present else f"not installed ({purpose}; to have it: {source})"
        findings.append(Finding(f"optional {module}", fact))
    return findings


def judge_video(suffix_writable: Mapping[str, bool]) -> Finding:
    """Video files. suffix_writable: '.mp4' … → whether a video was written and read again."""
    failed = [suffix for suffix, works in suffix_writable.items() if not works]
    if not failed:
        return Finding("video", f"reads and writes {', '.join(suffix_writable)}")
    remedy = "install OpenCV with FFmpeg: pip install opencv-python-headless, or apt install python3-opencv"
    return Finding("video", f"OpenCV can't write {', '.join(failed)}", remedy)
