"""Speed and memory of endo-depth evaluate on a long bag, made of a short one that is shown forwards and backwards.

    python benchmarks/evaluate_long_bag.py short.mcap --frames 5000 --scratch /tmp/long

prints frames/s beside those of the network alone with the same settings, and resident memory at tenths of the run.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import torch

from endo_depth_ros.bags.frames_to_bag import FrameBagOptions
from endo_depth_ros.bags.rosbag_source import RosbagSource
from endo_depth_ros.contracts import Frame
from endo_depth_ros.datasets.truth_bag import write_truth
from endo_depth_ros.datasets.truth_sequence import TruthFrame
from endo_depth_ros.depth.pipeline import DepthPipeline
from endo_depth_ros.nodes.depth_settings import DepthNodeSettings
from endo_depth_ros.runs.truth_topics import TruthTopics, read_truth_topics

START_NS, PERIOD_NS = 10**9, 33_333_333
NETWORK_FRAMES = 100


def main() -> int:
    """Make the bag, time the network, evaluate."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bag", type=Path, help="a bag with /truth/depth and poses, such as endo-depth demo's input")
    parser.add_argument("--frames", type=int, default=5000)
    parser.add_argument("--scratch", type=Path, required=True, help="folder for the long bag and the report")
    parser.add_argument("--no-pose", action="store_true")
    args = parser.parse_args()
    args.scratch.mkdir(parents=True, exist_ok=True)
    path = args.scratch / f"{args.frames}.mcap"
    if not path.exists():
        write_truth(repeat(args.bag, args.frames), path, FrameBagOptions())
    rate_hz = network_rate_hz(path)
    seconds, cpu_s, memory = evaluate(path, args.scratch / "report", args.no_pose)
    own_hz = args.frames / seconds
    print(f"network alone {rate_hz:.1f} frames/s, evaluation {own_hz:.1f} frames/s: {own_hz / rate_hz:.2f}")
    print(f"{1000 * cpu_s / args.frames:.1f} ms of CPU a frame; resident MB at tenths of the time: {memory}")
    return 0


def repeat(bag: Path, count: int) -> Iterator[TruthFrame]:
    """The frames of the bag to and fro, so that nothing jumps, with stamps that go on."""
    truths = {truth.stamp_ns: truth for truth in read_truth_topics(bag, TruthTopics())}
    frames = [frame for frame in RosbagSource(bag) if frame.stamp_ns in truths]
    there_and_back = [*frames, *frames[-2:0:-1]]
    for index in range(count):
        frame = there_and_back[index % len(there_and_back)]
        if frame.image is None or frame.camera is None:
            raise SystemExit(f"{bag}: a frame can't be used; {frame.error or frame.camera_error}")
        truth = truths[frame.stamp_ns]
        shown = Frame(START_NS + index * PERIOD_NS, frame.frame_id, frame.image, frame.camera)
        yield TruthFrame(shown, truth.depth, truth.T_world_camera)


def network_rate_hz(path: Path) -> float:
    """Frames a second of the model alone, on tensors that are ready, with the settings that evaluate takes."""
    pipeline = DepthPipeline(DepthNodeSettings())
    pipeline.warm_up()
    batches = []
    estimate = pipeline.estimator.estimate

    def note(batch):  # type: ignore[no-untyped-def]
        batches.append(batch)
        return estimate(batch)

    pipeline.estimator.estimate = note  # type: ignore[method-assign]
    for frame in islice(RosbagSource(path), 5):
        if frame.image is not None and frame.camera is not None:
            pipeline.process(Frame(frame.stamp_ns, frame.frame_id, frame.image, frame.camera))
    if not batches:
        raise SystemExit(f"{path}: none of its first frames comes to the network")
    start_s = time.perf_counter()
    with torch.inference_mode():
        for index in range(NETWORK_FRAMES):
            estimate(batches[index % len(batches)])
    return NETWORK_FRAMES / (time.perf_counter() - start_s)


def evaluate(path: Path, output: Path, no_pose: bool) -> tuple[float, float, list[int]]:
    """Wall seconds, CPU seconds, and resident megabytes at tenths of the time, of the command."""
    shutil.rmtree(output, ignore_errors=True)  # a finished evaluation would not be done again
    command = [sys.executable, "-m", "endo_depth_ros.cli.main", "evaluate", str(path), "--output", str(output)]
    start_s = time.perf_counter()
    process = subprocess.Popen([*command, *(["--no-pose"] if no_pose else [])])
    samples: list[int] = []
    watcher = threading.Thread(target=watch, args=(process, samples), daemon=True)
    watcher.start()
    if process.wait():
        raise SystemExit("the evaluation failed")
    seconds = time.perf_counter() - start_s
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, used.ru_utime + used.ru_stime, [samples[len(samples) * tenth // 10] for tenth in range(10)]


def watch(process: subprocess.Popen[bytes], samples: list[int]) -> None:
    """Note the process's resident megabytes once a second."""
    pages = Path(f"/proc/{process.pid}/statm")
    while process.poll() is None:
        samples.append(int(pages.read_text().split()[1]) * resource.getpagesize() // 2**20)
        time.sleep(1)


if __name__ == "__main__":
    sys.exit(main())
