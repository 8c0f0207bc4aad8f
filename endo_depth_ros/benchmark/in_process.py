"""The way of a frame in one process, stage by stage."""

from __future__ import annotations

import gc
import resource
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from endo_depth_ros.bags.source import DEFAULT_FRAME_ID
from endo_depth_ros.benchmark.figures import InProcess, percentiles
from endo_depth_ros.benchmark.images import EncodedImage, back_and_forth
from endo_depth_ros.benchmark.stage_clock import StageClock
from endo_depth_ros.benchmark.workload import BenchmarkError, Workload
from endo_depth_ros.contracts import DepthEstimate, Frame, FrameStatus, Verdict
from endo_depth_ros.depth.pipeline import DepthPipeline
from endo_depth_ros.depth.stages import Stage
from endo_depth_ros.geometry.camera import Camera
from endo_depth_ros.geometry.pointcloud import PointCloudBuilder
from endo_depth_ros.stamps import FIRST_STAMP_NS

MEMORY_FILE = Path("/proc/self/status")

Publish = Callable[[DepthEstimate, "NDArray[np.void] | None"], None]


@dataclass(frozen=True)
class TimedFrame:
    """One answered frame. depth_size: (width, height)."""

    depth_size: tuple[int, int]
    status: FrameStatus
    stages_ms: dict[Stage, float]
    total_ms: float


def measure_in_process(workload: Workload) -> InProcess:
    """Answer all frames, one when the one before is done.

    For a process of its own: peak memory is that of the whole process. Raises BenchmarkError when no frame gets depth
    or the device fails, and what DepthPipeline raises.
    """
    clock = StageClock(torch.cuda.synchronize if workload.settings.device == "cuda" else do_nothing)
    pipeline = DepthPipeline(workload.settings, refuse_fallback, clock.note)
    pipeline.warm_up()
    gc.collect()
    gc.freeze()  # as depth_node does
    opened, obstacle = open_publishing(workload.with_cloud)
    timed, start_ns = [], 0
    with opened as publish:
        answer = Answer(pipeline, clock, workload.with_cloud, publish)
        for index, image in enumerate(islice(back_and_forth(workload.images), workload.warm_up + workload.frames)):
            if index == workload.warm_up:
                start_ns = time.perf_counter_ns()
            frame = answer(image, FIRST_STAMP_NS + round(index * 1e9 / workload.rate_hz))
            if index >= workload.warm_up:
                timed.append(frame)
        duration_s = (time.perf_counter_ns() - start_ns) / 1e9
    return summarise(timed, duration_s, obstacle)


class Answer:
    """Takes a frame from its encoded image to its published depth, with the time of each stage."""

    def __init__(self, pipeline: DepthPipeline, clock: StageClock, with_cloud: bool, publish: Publish | None) -> None:
        """pipeline: notes its stages on the clock. publish: None where nothing can be published."""
        self._pipeline = pipeline
        self._clock = clock
        self._with_cloud = with_cloud
        self._publish = publish
        self._builder: PointCloudBuilder | None = None
        self._camera: Camera | None = None

    def __call__(self, image: EncodedImage, stamp_ns: int) -> TimedFrame:
        """Answer one image. Raises CameraError, ImageError."""
        self._clock.start()
        decoded = image.decode()
        self._clock.note(Stage.DECODE)
        estimate = self._pipeline.process(Frame(stamp_ns, DEFAULT_FRAME_ID, decoded, image.camera))
        self._clock.note(Stage.POST)
        points = None
        if self._with_cloud:
            points = self._cloud(estimate)
            self._clock.note(Stage.CLOUD)
        if self._publish is not None:
            self._publish(estimate, points)
            self._clock.note(Stage.PUBLISH)
        height, width = estimate.depth.shape
        return TimedFrame((width, height), estimate.status, self._clock.stages_ms, self._clock.total_ms)

    def _cloud(self, estimate: DepthEstimate) -> NDArray[np.void]:
        if self._builder is None or self._camera != estimate.frame.camera:
            self._builder, self._camera = PointCloudBuilder(estimate.frame.camera), estimate.frame.camera
        return self._builder.dense_points(estimate.depth, estimate.frame.image)


def open_publishing(with_cloud: bool) -> tuple[AbstractContextManager[Publish | None], str]:
    """What publishes on a ROS graph; or nothing, and why there is none."""
    try:
        from endo_depth_ros.benchmark.publishing import publishing
    except ImportError as error:
        return nullcontext(), f"no ROS for this Python ({error}); endo-depth doctor says what to do"
    return publishing(with_cloud), ""


def summarise(timed: list[TimedFrame], duration_s: float, publish_obstacle: str) -> InProcess:
    """The figures of the frames that got depth. Raises BenchmarkError when there are none."""
    answered = [frame for frame in timed if frame.status.verdict is Verdict.OK]
    if not answered:
        status = timed[0].status
        raise BenchmarkError(
            f"no frame of the input gets depth ({status.verdict.value}: {status.reason}); take another video, or "
            "raise that limit with --params"
        )
    stages = [stage for stage in Stage if all(stage in frame.stages_ms for frame in answered)]
    return InProcess(
        depth_width=answered[-1].depth_size[0],
        depth_height=answered[-1].depth_size[1],
        frames=len(timed),
        verdicts=dict(Counter(frame.status.verdict.value for frame in timed)),
        stages={stage.value: percentiles([frame.stages_ms[stage] for frame in answered]) for stage in stages},
        end_to_end=percentiles([frame.total_ms for frame in answered]),
        throughput_hz=round(len(timed) / duration_s, 2),
        peak_rss_mb=round(peak_rss_mb(), 1),
        peak_gpu_mb=round(torch.cuda.max_memory_reserved() / 1e6, 1) if torch.cuda.is_initialized() else 0.0,
        publish_obstacle=publish_obstacle,
    )


def peak_rss_mb() -> float:
    """The most memory that this process has held, in 10^6 bytes."""
    if MEMORY_FILE.is_file():
        # getrusage also counts the parent, whose memory a process has until it begins its own program.
        lines = MEMORY_FILE.read_text().splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def refuse_fallback(sentence: str) -> None:
    """Another device than the one that is measured would tell nothing about it. Raises BenchmarkError."""
    raise BenchmarkError(f"{sentence.partition(';')[0]}; free the device and measure again")


def do_nothing() -> None:
    """The CPU has done what it was given when a call returns."""
