"""endo-depth process: depth and camera poses of a video, image folder or bag, without a ROS graph."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from endo_depth_ros.bags.camera_yaml import read_camera
from endo_depth_ros.bags.factory import open_source
from endo_depth_ros.bags.source import DEFAULT_FPS, FrameSource, SourceFrame
from endo_depth_ros.cli.arguments import count, degrees, frame_rate
from endo_depth_ros.cli.main import installed_version
from endo_depth_ros.cli.output_folder import OutputFolder
from endo_depth_ros.cli.parameter_file import values_for
from endo_depth_ros.cli.pose_parameters import read_pose_settings
from endo_depth_ros.contracts import DepthEstimate, FrameStatus
from endo_depth_ros.depth.answering import answer
from endo_depth_ros.depth.pipeline import DepthPipeline
from endo_depth_ros.depth.settings import DepthSettings
from endo_depth_ros.nodes.depth_settings import DepthNodeSettings
from endo_depth_ros.pose.camera_poses import CameraPoses
from endo_depth_ros.pose.pipeline import PoseUnavailableError
from endo_depth_ros.pose.settings import PoseSettings
from endo_depth_ros.settings import entries, make

if TYPE_CHECKING:
    from endo_depth_ros.pose.tracker import TrackedFrame


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("input", type=Path, help="video file, folder of images, or rosbag2 (folder, .mcap, .db3)")
    lens = parser.add_mutually_exclusive_group()
    lens.add_argument("--camera", type=Path, metavar="YAML", help="calibration written by camera_calibration")
    lens.add_argument("--hfov", type=degrees, metavar="DEG", help="assume this horizontal field of view (uncalibrated)")
    parser.add_argument("--fps", type=frame_rate, help="frame rate of a video or folder, instead of the file's own")
    parser.add_argument("--image-topic", default="", metavar="TOPIC", help="which images of a bag")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder for the results")
    parser.add_argument("--every", type=count, default=1, metavar="N", help="take only every Nth frame")
    parser.add_argument("--max-frames", type=count, metavar="N", help="stop after N frames")
    parser.add_argument("--params", type=Path, metavar="YAML", help="parameter file of depth_node and pose_node")
    parser.add_argument("--model", help="depth estimator, instead of the parameter file's")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), help="where the model runs")
    parser.add_argument("--no-pose", action="store_true", help="depth only, no trajectory")
    parser.add_argument(
        "--no-refine", action="store_true", help="depth as the model says it, whatever the camera's motion"
    )
    parser.add_argument("--force", action="store_true", help="replace results that are there already")


def run(args: argparse.Namespace) -> int:
    """Answer every frame of the input; returns the exit code."""
    settings = read_settings(args)
    if args.camera is not None and args.camera.resolve().parent == args.output.resolve():
        raise ValueError(f"{args.camera} lies where the results go; choose another --output")
    camera = None if args.camera is None else read_camera(args.camera)
    source = open_source(args.input, camera, args.fps, args.image_topic)
    if source.warning:
        print(f"warning: {source.warning}", file=sys.stderr)
    poses = None if args.no_pose else make_poses(args.params)
    pipeline = DepthPipeline(settings)
    fps = (source.fps or DEFAULT_FPS) / args.every
    facts = {
        "input": str(args.input),
        "version": installed_version(),
        "model": pipeline.estimator.name,
        "device": str(pipeline.estimator.device),
        "settings": {entry.name: getattr(settings, entry.name) for entry in entries(DepthSettings)},
        "refine": poses is not None and not args.no_refine,
        "pose_settings": None if poses is None else settings_of(poses.settings),
    }
    with OutputFolder(args.output, fps, args.every, args.force) as output:
        complete = False
        try:
            for frame in progress(source, args.every, args.max_frames):
                answered = answer(pipeline, frame, settings.hfov_deg)
                tracked = None if poses is None else poses.track(answered, frame.frame_id)
                refined = None if args.no_refine else refine(poses, answered, tracked)
                output.write(refined or answered, tracked, poses is not None and poses.begins_anew, refined is not None)
            complete = True
        finally:
            output.finish({**facts, "complete": complete})
            print(output.report())
    return 0 if output.answered else 1


def refine(
    poses: CameraPoses | None, answered: DepthEstimate | FrameStatus, tracked: TrackedFrame | None
) -> DepthEstimate | None:
    """The frame's depth as the camera's motion has it; None where there is no depth or the camera wasn't tracked."""
    if poses is None or tracked is None or not isinstance(answered, DepthEstimate):
        return None
    return poses.refine(answered, tracked)


def settings_of(settings: PoseSettings) -> dict[str, object]:
    """The tracker's part of pose_node's settings."""
    return {entry.name: getattr(settings, entry.name) for entry in entries(PoseSettings)}


def make_poses(params: Path | None) -> CameraPoses | None:
    """What follows the camera; None, with a sentence, where gtsam is missing. Raises SettingsError."""
    try:
        return CameraPoses(read_pose_settings(params))
    except PoseUnavailableError as error:
        print(f"warning: depth only, without poses: {error}", file=sys.stderr)
        return None


def read_settings(args: argparse.Namespace) -> DepthNodeSettings:
    """depth_node's settings from --params, with the command line's choices on top. Raises SettingsError."""
    values = values_for(args.params, "depth_node")
    chosen = {"model": args.model, "device": args.device, "hfov_deg": args.hfov}
    return make(DepthNodeSettings, {**values, **{name: value for name, value in chosen.items() if value is not None}})


def progress(source: FrameSource, every: int, max_frames: int | None) -> tqdm[SourceFrame]:
    """The chosen frames behind a progress bar."""
    total = source.frame_count
    if total is not None:
        total = -(-total // every)
        total = total if max_frames is None else min(total, max_frames)
    return tqdm(chosen_frames(source, every, max_frames), total=total, unit="frame", disable=None)


def chosen_frames(source: FrameSource, every: int, max_frames: int | None) -> Iterator[SourceFrame]:
    """Every Nth frame of the source, at most max_frames."""
    for place, frame in enumerate(source):
        if max_frames is not None and place >= every * max_frames:
            return
        if place % every == 0:
            yield frame
