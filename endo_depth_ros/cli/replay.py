"""Publish a rosbag2 on ROS topics with /clock, as replay_node does."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from endo_depth_ros.cli.arguments import seconds, speed


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("bag", type=Path, help="rosbag2 folder, .mcap or .db3")
    parser.add_argument("--rate", type=speed, default=1.0, help="recorded seconds per second (%(default)s)")
    parser.add_argument("--start", type=seconds, default=0.0, metavar="S", help="seconds into the bag (%(default)s)")
    parser.add_argument("--loop", action="store_true", help="start again at the end; the clock jumps back")
    parser.add_argument("--topics", default="all", help="names and regular expressions separated by commas (all)")


def run(args: argparse.Namespace) -> int:
    """Run replay_node with these parameters; returns its exit code."""
    # Only this command of the module needs a ROS home.
    from endo_depth_ros.nodes.replay_node import main

    parameters = {
        "bag": json.dumps(str(args.bag)),
        "rate": args.rate,
        "start_offset_s": args.start,
        "loop": str(args.loop).lower(),
        "topics": json.dumps(args.topics),
    }
    return main(["--ros-args", *(word for key, value in parameters.items() for word in ("-p", f"{key}:={value}"))])
