"""Entry points of the executables, which end quietly also while their modules are still being imported."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from types import FrameType

from endo_depth_ros.process_tuning import tune_process


def depth_node() -> int:
    """Run depth_node."""
    return start("depth_node")


def pose_node() -> int:
    """Run pose_node."""
    return start("pose_node")


def navigator() -> int:
    """Run depth_node and pose_node in one process."""
    return start("navigator")


def video_node() -> int:
    """Run video_node."""
    return start("video_node")


def replay_node() -> int:
    """Run replay_node."""
    return start("replay_node")


def record_node() -> int:
    """Run record_node."""
    return start("record_node")


def start(name: str) -> int:
    """Import endo_depth_ros/nodes/<name>.py, which takes seconds, and run its main; returns the exit code."""
    signal.signal(signal.SIGINT, leave)
    tune_process()
    module = importlib.import_module(f"endo_depth_ros.nodes.{name}")
    return int(module.main())


def leave(number: int, frame: FrameType | None) -> None:
    """Exit at once: nothing has been started that would have to be ended."""
    os._exit(0)


if __name__ == "__main__":
    # python -m endo_depth_ros.nodes.executables NAME --ros-args …, wherever the scripts are installed
    sys.exit(start(sys.argv.pop(1)))
