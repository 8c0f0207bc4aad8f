"""Answers to the frames of a recording in this process: the nodes' pipeline, with several models side by side."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from queue import SimpleQueue

from endo_depth_ros.bags.source import SourceFrame
from endo_depth_ros.contracts import FrameStatus
from endo_depth_ros.depth.answering import begin_answer
from endo_depth_ros.depth.pipeline import Begun, DepthPipeline, ModelMaps
from endo_depth_ros.depth.runtime import automatic_threads
from endo_depth_ros.depth.settings import DepthSettings
from endo_depth_ros.runs.prediction_store import Answer
from endo_depth_ros.settings import changed
from endo_depth_ros.work_ahead import map_ahead, read_ahead


@dataclass(frozen=True, eq=False)
class Underway:
    """A frame on its way through the model, and the seconds that it took so far."""

    begun: Begun | FrameStatus
    maps: ModelMaps | None
    spent_s: float


def load_pipelines(settings: DepthSettings) -> tuple[DepthPipeline, ...]:
    """The pipeline, warmed up as depth_node does; on the CPU one for each of its threads.

    Two frames on a thread each take less of the cores than one frame after the other on two threads.
    """
    first = DepthPipeline(changed(settings, {"cpu_threads": 1}))
    count = automatic_threads(settings.cpu_threads) if first.estimator.device.type == "cpu" else 1
    pipelines = (first, *(DepthPipeline(first.settings) for _ in range(count - 1)))
    for pipeline in pipelines:
        pipeline.warm_up()
    return pipelines


def answer_in_process(
    frames: Iterator[SourceFrame], pipelines: Sequence[DepthPipeline], hfov_deg: float
) -> Generator[Answer, None, None]:
    """The answer to each frame and the milliseconds it took, without those that it waited for others.

    The first of the pipelines sees every frame, in order; the model is any one's.
    """
    first, free = pipelines[0], SimpleQueue[DepthPipeline]()
    for pipeline in pipelines:
        free.put(pipeline)

    def infer(frame: Underway) -> Underway:
        if isinstance(frame.begun, FrameStatus):
            return frame
        pipeline, start_s = free.get(), time.perf_counter()
        try:
            maps = pipeline.infer(frame.begun)
        finally:
            free.put(pipeline)
        return Underway(frame.begun, maps, frame.spent_s + time.perf_counter() - start_s)

    with closing(read_ahead(_begin_frames(frames, first, hfov_deg))) as coming:
        for frame in map_ahead(infer, coming, len(pipelines)):
            start_s = time.perf_counter()
            begun = frame.begun
            answered = begun if isinstance(begun, FrameStatus) else first.complete(begun, frame.maps)
            yield Answer(answered, 1000 * (frame.spent_s + time.perf_counter() - start_s))


def _begin_frames(frames: Iterator[SourceFrame], pipeline: DepthPipeline, hfov_deg: float) -> Iterator[Underway]:
    """What comes before the model; stamps that go back begin anew, as in depth_node."""
    pipeline.reset()
    latest_ns = -1
    for frame in frames:
        if frame.stamp_ns < latest_ns:
            pipeline.reset()
        latest_ns = frame.stamp_ns
        start_s = time.perf_counter()
        begun = begin_answer(pipeline, frame, hfov_deg)
        yield Underway(begun, None, time.perf_counter() - start_s)
