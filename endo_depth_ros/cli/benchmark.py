"""endo-depth benchmark: how long a frame takes on this machine, stage by stage, for each runtime."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime, timezone
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from endo_depth_ros.bags.camera_yaml import read_camera
from endo_depth_ros.bags.factory import open_source
from endo_depth_ros.bags.output import Replaceable, complete_output
from endo_depth_ros.bags.source import SourceError, camera_of
from endo_depth_ros.benchmark.apart import run_apart
from endo_depth_ros.benchmark.figures import OverGraph, RunResult
from endo_depth_ros.benchmark.images import EncodedImage, encode, resize
from endo_depth_ros.benchmark.in_process import measure_in_process
from endo_depth_ros.benchmark.machine_facts import find_versions, look_at_machine
from endo_depth_ros.benchmark.report import Report, to_json, to_table
from endo_depth_ros.benchmark.workload import BenchmarkError, Workload
from endo_depth_ros.cli.arguments import count, degrees, frame_rate, image_size
from endo_depth_ros.cli.main import installed_version
from endo_depth_ros.cli.parameter_file import values_for
from endo_depth_ros.depth.models import ESTIMATORS
from endo_depth_ros.depth.runtimes import DEVICE_TYPE_OF, RUNTIMES, find_obstacle, select_runtime
from endo_depth_ros.depth.settings import DepthSettings
from endo_depth_ros.depth.weights import load_weights
from endo_depth_ros.depth.weights_choice import hash_file, weights_file
from endo_depth_ros.geometry.camera import Camera
from endo_depth_ros.nodes.depth_settings import DepthNodeSettings
from endo_depth_ros.settings import changed, entries, make
from endo_depth_ros.synthetic.sequence import SequenceSettings, render_sequence

DEFAULT_SIZE = (640, 512)
# Enough for motion between frames and percentiles of what depends on the picture; few enough to render and to keep.
DISTINCT_IMAGES = 8

OverGraphMeasure = Callable[[Workload], OverGraph]
Picture = tuple[NDArray[np.uint8], Camera]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    images = parser.add_argument_group("images")
    images.add_argument("--input", type=Path, metavar="PATH", help="video, image folder or bag, instead of a rendering")
    lens = images.add_mutually_exclusive_group()
    lens.add_argument("--camera", type=Path, metavar="YAML", help="calibration of the input")
    lens.add_argument("--hfov", type=degrees, metavar="DEG", help="assumed horizontal field of view of the input")
    images.add_argument(
        "--size", type=image_size, nargs="+", metavar="WxH", help="of the images (640x512; the input's own)"
    )
    images.add_argument("--jpeg", action="store_true", help="images come as JPEG, instead of rgb8")
    images.add_argument("--seed", type=int, default=0, help="of the rendered scene (%(default)s)")
    images.add_argument("--frames", type=count, default=300, metavar="N", help="frames to time (%(default)s)")
    images.add_argument("--warm-up", type=count, default=30, metavar="N", help="frames before those (%(default)s)")
    model = parser.add_argument_group("model")
    model.add_argument(
        "--params", type=Path, metavar="YAML", help="parameter file of depth_node (but for its runtime, see --runtime)"
    )
    model.add_argument("--model", choices=tuple(ESTIMATORS), help="(as in --params, else its default)")
    model.add_argument("--weights", type=Path, metavar="FILE", help="other weights than the package's")
    model.add_argument("--runtime", nargs="+", choices=tuple(RUNTIMES), default=tuple(RUNTIMES), help="(all)")
    model.add_argument("--precision", choices=("auto", "fp32", "fp16", "bf16"), help="of the network (auto)")
    model.add_argument("--cpu-threads", type=count, metavar="N", help="of the network (as many as cores, at most 4)")
    parser.add_argument("--no-cloud", action="store_true", help="nobody wants depth/points")
    parser.add_argument("--graph", action="store_true", help="also through depth_node over DDS, at --rate")
    parser.add_argument("--rate", type=frame_rate, default=30.0, metavar="HZ", help="of the images (%(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything into a file")
    parser.add_argument("--force", action="store_true", help="replace that file")


def run(args: argparse.Namespace) -> int:
    """Measure, print and write; returns the exit code."""
    check_images(args)
    settings = read_settings(args)
    weights = weights_of(settings)
    machine = look_at_machine()
    if machine.busy:
        sentence = f"this machine is busy (load {machine.load}); figures will be worse than what it can do"
        print(f"warning: {sentence}", file=sys.stderr)
    obstacles = {name: find_obstacle(RUNTIMES.get(name), settings.precision) for name in args.runtime}
    replaces = Replaceable.FILE if args.force else Replaceable.NOTHING
    with nullcontext() if args.json is None else complete_output(args.json, replaces) as partial:
        report = Report(
            measured_at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            version=installed_version(),
            machine=machine,
            versions=find_versions(),
            model=settings.model,
            weights="" if weights is None else weights.name,
            weights_sha256="" if weights is None else hash_file(weights),
            settings={entry.name: getattr(settings, entry.name) for entry in entries(DepthSettings)},
            source=f"rendered, seed {args.seed}" if args.input is None else str(args.input),
            encoding="jpeg" if args.jpeg else "rgb8",
            warm_up_frames=args.warm_up,
            results=measure_all(args, settings, [name for name, obstacle in obstacles.items() if not obstacle]),
            absent={name: obstacle for name, obstacle in obstacles.items() if obstacle},
        )
        if partial is not None:
            partial.write_text(to_json(report))
    print(to_table(report))
    return 0 if report.results else 1


def check_images(args: argparse.Namespace) -> None:
    """Raise ValueError for a lens without the input that it belongs to."""
    if args.input is None and (args.camera is not None or args.hfov is not None):
        raise ValueError("--camera and --hfov describe the lens of --input; a rendering knows its own, leave them out")


def read_settings(args: argparse.Namespace) -> DepthNodeSettings:
    """depth_node's settings from --params, with the command line's choices on top. Raises SettingsError."""
    values = values_for(args.params, "depth_node")
    chosen = {
        "model": args.model,
        "weights": None if args.weights is None else str(args.weights.absolute()),
        "precision": args.precision,
        "cpu_threads": args.cpu_threads,
        "hfov_deg": args.hfov,
    }
    return make(DepthNodeSettings, {**values, **{name: value for name, value in chosen.items() if value is not None}})


def weights_of(settings: DepthNodeSettings) -> Path | None:
    """The weights file of the model, if it has one; checked before time is spent. Raises WeightsError."""
    path = weights_file(settings)
    if path is not None:
        load_weights(path)
    return path


def measure_all(args: argparse.Namespace, settings: DepthNodeSettings, runtimes: list[str]) -> tuple[RunResult, ...]:
    """Every runtime on every size, one after the other. Raises BenchmarkError and what reading the input raises."""
    if not runtimes:
        return ()
    over_graph = import_over_graph() if args.graph else None
    results = []
    for size in args.size or (None,):
        images = prepare_images(args, settings, size)
        for runtime in runtimes:
            wanted = changed(settings, {"runtime": runtime, "device": DEVICE_TYPE_OF[runtime]})
            workload = Workload(wanted, images, args.warm_up, args.frames, args.rate, not args.no_cloud)
            results.append(measure(workload, over_graph))
    return tuple(results)


def measure(workload: Workload, over_graph: OverGraphMeasure | None) -> RunResult:
    """One runtime on images of one size, in processes of their own."""
    camera = workload.images[0].camera
    runtime = select_runtime(workload.settings)
    print(f"measuring {runtime.name} on {camera.width}x{camera.height} ...", file=sys.stderr)
    return RunResult(
        runtime=runtime.name,
        precision=runtime.precision,
        threads=runtime.threads,
        width=camera.width,
        height=camera.height,
        distinct_images=len(workload.images),
        in_process=run_apart(measure_in_process, workload),
        over_graph=None if over_graph is None else run_apart(over_graph, workload),
    )


def prepare_images(
    args: argparse.Namespace, settings: DepthNodeSettings, size: tuple[int, int] | None
) -> tuple[EncodedImage, ...]:
    """The images of one size, as they would arrive; size None takes that of the first."""
    if args.input is None:
        pictures = render_pictures(args.seed, *(size or DEFAULT_SIZE))
    else:
        camera = None if args.camera is None else read_camera(args.camera)
        pictures = read_pictures(args.input, camera, settings.hfov_deg)
        width, height = size or (pictures[0][1].width, pictures[0][1].height)
        pictures = [resize(*picture, width, height) for picture in pictures]
    return tuple(encode(*picture, args.jpeg) for picture in pictures)


def render_pictures(seed: int, width: int, height: int) -> list[Picture]:
    """The beginning of a rendered sequence."""
    values = {"seed": seed, "frames": DISTINCT_IMAGES, "width": width, "height": height}
    frames = render_sequence(make(SequenceSettings, values))
    progress = tqdm(frames, desc=f"rendering {width}x{height}", total=DISTINCT_IMAGES, unit="frame", disable=None)
    return [(each.frame.image, each.frame.camera) for each in progress]


def read_pictures(path: Path, camera: Camera | None, hfov_deg: float) -> list[Picture]:
    """The first frames of the input. Raises SourceError when one can't be read or has no lens."""
    pictures: list[Picture] = []
    for frame in islice(open_source(path, camera), DISTINCT_IMAGES):
        if frame.image is None:
            raise SourceError(frame.error)
        found = camera_of(frame, frame.image, hfov_deg or None)
        if found is None:
            raise SourceError(f"{path}: {frame.camera_error}")
        pictures.append((frame.image, found))
    if not pictures:
        raise SourceError(f"{path}: has no frames; take another video")
    return pictures


def import_over_graph() -> OverGraphMeasure:
    """The measurement that needs ROS. Raises BenchmarkError."""
    try:
        from endo_depth_ros.benchmark.over_graph import measure_over_graph
    except ImportError as error:
        raise BenchmarkError(f"--graph needs ROS, which isn't there ({error}); endo-depth doctor says more") from error
    return measure_over_graph
