"""endo-depth export-onnx: the depth network for stacks without PyTorch."""

from __future__ import annotations

import argparse
from pathlib import Path

from endo_depth_ros.cli.arguments import count
from endo_depth_ros.depth.network_estimator import SHIPPED_WEIGHTS
from endo_depth_ros.depth.onnx_file import write_onnx
from endo_depth_ros.depth.settings import DepthSettings
from endo_depth_ros.depth.weights import load_weights


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    size = DepthSettings()
    parser.add_argument("output", type=Path, help="file to write (.onnx)")
    parser.add_argument("--weights", type=Path, default=SHIPPED_WEIGHTS, help="other weights than the package's")
    parser.add_argument("--width", type=count, default=size.input_width, help="of the images (%(default)s)")
    parser.add_argument("--height", type=count, default=size.input_height, help="of the images (%(default)s)")


def run(options: argparse.Namespace) -> int:
    """Write the file; returns the exit code."""
    write_onnx(options.output, load_weights(options.weights), options.width, options.height)
    print(f"{options.output}: {options.width}x{options.height}, {options.output.stat().st_size / 1e6:.1f} MB")
    return 0
