"""Turn a video, image folder or data set into a rosbag2, and a bag into a video, a folder of PNGs or a sound .mcap."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from tqdm import tqdm

from endo_depth_ros.bags.bag import CorruptBagError
from endo_depth_ros.bags.bag_reader import MCAP, is_bag, open_bag
from endo_depth_ros.bags.bag_writer import COMPRESSIONS, BagWriter
from endo_depth_ros.bags.camera_yaml import read_camera, write_camera
from endo_depth_ros.bags.factory import open_source
from endo_depth_ros.bags.frames_to_bag import FrameBagOptions, write_frames
from endo_depth_ros.bags.image_folder import CAMERA_FILE, STAMPS_FILE, write_image
from endo_depth_ros.bags.output import OutputError, Replaceable, complete_output
from endo_depth_ros.bags.readable_frames import mean_fps, readable_frames
from endo_depth_ros.bags.source import DEFAULT_FRAME_ID, FrameSource, SourceError, camera_of
from endo_depth_ros.bags.video_writer import VIDEO_SUFFIXES, VideoWriter
from endo_depth_ros.cli.arguments import count, degrees, frame_rate, seconds
from endo_depth_ros.datasets.catalog import DATASETS, choose_sequence, find_sequences, holds_dataset
from endo_depth_ros.datasets.truth_bag import write_truth
from endo_depth_ros.datasets.truth_sequence import ReadOptions
from endo_depth_ros.geometry.camera import Camera

# What options are when nobody gives them, where that isn't nothing.
UNCHANGED = {"frame_id": DEFAULT_FRAME_ID, "compression": "none"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("input", type=Path, help="video file, image folder, data set, or rosbag2 (folder, .mcap, .db3)")
    parser.add_argument("output", type=Path, help="NAME.mcap, NAME.mp4 (avi, mkv), or a folder for PNGs and stamps.csv")
    camera = parser.add_mutually_exclusive_group()
    camera.add_argument("--camera", type=Path, metavar="YAML", help="calibration file for camera_info")
    camera.add_argument(
        "--hfov", type=degrees, metavar="DEG", help="assume this horizontal field of view; uncalibrated"
    )
    parser.add_argument("--fps", type=frame_rate, help="frame rate, instead of the video's own (folders: 30)")
    parser.add_argument("--frame-id", default=DEFAULT_FRAME_ID, help="frame of images from a video (%(default)s)")
    parser.add_argument(
        "--dataset", default="", metavar="NAME", help="read the input as this data set: " + ", ".join(DATASETS)
    )
    parser.add_argument(
        "--sequence", default="", metavar="NAME", help="which sequence of a data set that holds several"
    )
    parser.add_argument("--image-topic", default="", help="which images of a bag, where it has several")
    parser.add_argument(
        "--start", type=seconds, metavar="S", help="first stamp in seconds (kept, or 1 where it is zero)"
    )
    parser.add_argument("--jpeg", action="store_true", help="write image_raw/compressed instead of image_raw")
    parser.add_argument(
        "--compression", choices=sorted(COMPRESSIONS), default="none", help="of the .mcap (%(default)s)"
    )
    parser.add_argument("--max-frames", type=count, metavar="N", help="stop after N frames")
    parser.add_argument("--force", action="store_true", help="replace an existing output")


def run(args: argparse.Namespace) -> int:
    """Convert; returns the exit code. Raises SourceError, OutputError or CameraError with a sentence."""
    is_truth = bool(args.dataset) or (not is_bag(args.input) and holds_dataset(args.input))
    is_copy = args.output.suffix == MCAP and not is_truth and is_bag(args.input)
    _check_options(args, is_copy, is_truth)
    _check_replaceable(args.output)
    with complete_output(args.output, Replaceable.FILE_OR_FOLDER if args.force else Replaceable.NOTHING) as partial:
        if is_copy:
            _copy_bag(args.input, partial, args.compression)
        elif is_truth:
            _convert_truth(args, partial)
        else:
            _convert_frames(args, partial)
    print(args.output)
    return 0


def _refuse_without_effect(args: argparse.Namespace, names: Iterable[str], because: str) -> None:
    """Raise OutputError for an option that was given and would be passed over."""
    for name in names:
        if getattr(args, name) not in (None, "", False, UNCHANGED.get(name)):
            raise OutputError(f"--{name.replace('_', '-')} has no effect: {because}; leave it out")


def _check_options(args: argparse.Namespace, is_copy: bool, is_truth: bool) -> None:
    """Refuse what would have no effect on this kind of input or output."""
    if is_copy:
        kept = ("camera", "hfov", "fps", "frame_id", "image_topic", "start", "jpeg", "max_frames")
        _refuse_without_effect(args, kept, "a bag becomes an .mcap with every message as it is")
    elif is_truth:
        _refuse_without_effect(args, ("image_topic",), "the input is a data set, which has no topics")
    elif args.output.suffix != MCAP:
        of_bags = ("start", "jpeg", "compression", "frame_id")
        _refuse_without_effect(args, of_bags, f"{args.output.name} is no bag")
    if not is_truth:
        _refuse_without_effect(args, ("sequence",), "the input is no data set")


def _check_replaceable(path: Path) -> None:
    """--force replaces what convert wrote, never a folder of something else."""
    if path.is_dir() and any(path.iterdir()) and not (path / STAMPS_FILE).is_file():
        raise OutputError(f"{path}: exists and is no folder that convert wrote; choose another name")


def _convert_truth(args: argparse.Namespace, partial: Path) -> None:
    """One sequence of a data set, with its true depth and poses."""
    if args.output.suffix != MCAP:
        raise OutputError(f"{args.output}: a data set becomes a bag with its depth and poses; give NAME.mcap")
    found = choose_sequence(find_sequences(args.input, args.dataset), args.sequence)
    camera = None if args.camera is None else read_camera(args.camera)
    sequence = found.open(ReadOptions(camera, args.hfov, args.fps, args.frame_id))
    for note in sequence.notes:
        print(f"note: {found.layout.title} {sequence.name}: {note}", file=sys.stderr)
    total = min(sequence.frame_count, args.max_frames or sequence.frame_count)
    frames = tqdm(islice(sequence, args.max_frames), desc=sequence.name, total=total, unit="frame", disable=None)
    write_truth(frames, partial, FrameBagOptions(args.start, None, args.jpeg, args.compression))


def _convert_frames(args: argparse.Namespace, partial: Path) -> None:
    camera = None if args.camera is None else read_camera(args.camera)
    source = open_source(args.input, camera, args.fps, args.image_topic, args.frame_id)
    if source.warning:
        print(f"warning: {source.warning}", file=sys.stderr)
    if args.output.suffix == MCAP:
        _write_bag(source, partial, args)
    elif args.output.suffix.lower() in VIDEO_SUFFIXES:
        _write_video(source, partial, args.fps, args.max_frames)
    elif not args.output.suffix:
        _write_folder(source, partial, args.hfov, args.max_frames)
    else:
        raise OutputError(f"{args.output}: unknown kind of output; give .mcap, .mp4, .avi, .mkv or a folder's name")


def _copy_bag(path: Path, output: Path, compression: str) -> None:
    """Every message as it is; whatever a truncated or corrupt bag still holds becomes a sound one."""
    with open_bag(path) as bag, BagWriter(output, compression) as writer:
        if bag.warning:
            print(f"warning: {bag.warning}", file=sys.stderr)
        for topic in bag.topics:
            writer.add_topic(topic)
        copied = 0
        try:
            for message in tqdm(bag.messages(), desc=path.name, total=bag.message_count, unit="msg", disable=None):
                writer.write(message.topic.name, message.stamp_ns, message.data)
                copied += 1
        except CorruptBagError as error:
            if not copied:
                raise SourceError(f"{error.fact}; no message can be read, record it again") from error
            print(f"warning: {error.fact}; the {copied} messages before that were kept", file=sys.stderr)


def _write_bag(source: FrameSource, output: Path, args: argparse.Namespace) -> None:
    options = FrameBagOptions(args.start, args.hfov, args.jpeg, args.compression)
    if write_frames(readable_frames(source, args.max_frames), output, options):
        print("warning: no camera_info was written for lack of a calibration; give --camera or --hfov", file=sys.stderr)


def _write_video(source: FrameSource, output: Path, fps: float | None, max_frames: int | None) -> None:
    with VideoWriter(output, fps or source.fps or mean_fps([frame.stamp_ns for frame in source])) as writer:
        for _, image in readable_frames(source, max_frames):
            writer.write(image)


def _write_folder(source: FrameSource, output: Path, hfov_deg: float | None, max_frames: int | None) -> None:
    output.mkdir()
    camera: Camera | None = None
    with (output / STAMPS_FILE).open("w", newline="") as lines:
        table = csv.writer(lines)
        table.writerow(["file", "stamp_ns"])
        for index, (frame, image) in enumerate(readable_frames(source, max_frames)):
            name = f"{index:06d}.png"
            write_image(output / name, image)
            table.writerow([name, frame.stamp_ns])
            camera = camera or camera_of(frame, image, hfov_deg)
    if camera is not None:
        write_camera(output / CAMERA_FILE, camera)
