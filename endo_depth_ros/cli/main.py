"""endo-depth: depth from endoscopic video, on the command line."""

from __future__ import annotations

import argparse
import importlib
import signal
import sys
from importlib.metadata import PackageNotFoundError, version
from types import FrameType

from endo_depth_ros.process_tuning import tune_process

# Imported only when asked for, so that `endo-depth --help` needs neither torch nor rclpy.
COMMANDS = {
    "demo": "render (or read) a video, run the nodes on it and show what they publish",
    "process": "depth of a video, image folder or bag, without a ROS graph",
    "convert": "video, image folder or data set to rosbag2, and back",
    "evaluate": "depth against truth: figures by published protocols, and a report",
    "replay": "play a rosbag2 on ROS topics",
    "export-onnx": "the depth network as an ONNX file",
    "benchmark": "how long a frame takes on this machine, stage by stage, for each runtime",
    "doctor": "what this machine has, what is missing and what to do",
}


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    is_program = arguments is None
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser(
        prog="endo-depth", description=__doc__, epilog="endo-depth COMMAND --help tells more"
    )
    parser.add_argument("--version", action="version", version=installed_version())
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    chosen = next((word for word in arguments if word in COMMANDS), None)
    if is_program:
        tune_process()
        signal.signal(signal.SIGTERM, _interrupt)
    try:
        for name, summary in COMMANDS.items():
            command = commands.add_parser(name, help=summary, description=summary)
            if name == chosen:
                module = importlib.import_module(f"endo_depth_ros.cli.{name.replace('-', '_')}")
                module.configure(command)
                command.set_defaults(run=module.run)
        options = parser.parse_args(arguments)
        return int(options.run(options))
    except ImportError as error:
        print(f"endo-depth {chosen}: {error}; endo-depth doctor says what this machine lacks", file=sys.stderr)
        return 1
    except (ValueError, RuntimeError, OSError) as error:
        print(f"endo-depth {chosen}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"endo-depth {chosen}: interrupted", file=sys.stderr)
        return 130


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Let a polite kill keep what is computed, as Ctrl-C does."""
    raise KeyboardInterrupt


def installed_version() -> str:
    """The version of the installed package."""
    try:
        return version("endo_depth_ros")
    except PackageNotFoundError:
        return "not installed"


if __name__ == "__main__":
    sys.exit(main())
