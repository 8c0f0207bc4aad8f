"""Frames that go through several models side by side get the answers of one pipeline that takes them in turn."""

import threading
from dataclasses import replace

import numpy as np
import pytest
from wall import Wall

from endo_depth_ros.bags.source import SourceFrame, make_broken_frame
from endo_depth_ros.contracts import DepthEstimate, FrameStatus, Verdict
from endo_depth_ros.depth.answering import answer
from endo_depth_ros.depth.pipeline import DepthPipeline
from endo_depth_ros.depth.settings import DepthSettings
from endo_depth_ros.runs.side_by_side import answer_in_process, load_pipelines

FRAME_NS = 40_000_000
SETTINGS = DepthSettings(model="shading", device="cpu", cpu_threads=2)


@pytest.fixture(scope="module")
def pipelines():
    return load_pipelines(SETTINGS)


def wall_frames(count, first_ns=0):
    """A camera that comes nearer."""
    for index in range(count):
        seen, _ = Wall().frame(first_ns + index * FRAME_NS, (0.0, 0.0, 0.001 * index))
        yield SourceFrame(seen.stamp_ns, seen.frame_id, seen.image, seen.camera)


def frames_until(closed):
    """Many frames; sets `closed` when nobody takes them any more."""
    try:
        yield from wall_frames(50)
    finally:
        closed.set()


def frames_with_faults():
    """Good frames, a broken one, and a jump back in time."""
    yield from wall_frames(3, 100 * FRAME_NS)
    yield make_broken_frame(103 * FRAME_NS, "scope", "it is torn")
    yield from wall_frames(3, 104 * FRAME_NS)
    yield from wall_frames(3)


def test_answers_come_in_order_and_are_those_of_one_pipeline(pipelines):
    frames, alone = list(frames_with_faults()), DepthPipeline(replace(SETTINGS, cpu_threads=1))
    answers = [each.depth for each in answer_in_process(iter(frames), pipelines, 0.0)]
    latest_ns = -1
    for frame, found in zip(frames, answers, strict=True):
        if frame.stamp_ns < latest_ns:
            alone.reset()
        latest_ns = frame.stamp_ns
        expected = answer(alone, frame, 0.0)
        assert type(found) is type(expected)
        if isinstance(found, DepthEstimate):
            assert found.status == expected.status
            assert found.status.verdict is Verdict.OK
            np.testing.assert_array_equal(found.depth, expected.depth)
            np.testing.assert_array_equal(found.sigma, expected.sigma)
        else:
            assert found == expected
            assert found.verdict is Verdict.INVALID_INPUT
    assert sum(isinstance(found, FrameStatus) for found in answers) == 1


def test_each_thread_has_a_model_and_they_work_at_the_same_time(pipelines, monkeypatch):
    both_at_work = threading.Barrier(len(pipelines))

    def wait(estimate):
        def estimate_together(batch):
            both_at_work.wait(20)
            return estimate(batch)

        return estimate_together

    assert len(pipelines) == 2
    for pipeline in pipelines:
        monkeypatch.setattr(pipeline.estimator, "estimate", wait(pipeline.estimator.estimate))
    assert len(list(answer_in_process(wall_frames(4), pipelines, 0.0))) == 4


def test_what_a_model_raises_comes_to_the_caller_and_ends_the_reading(pipelines, monkeypatch):
    def fail(batch):
        raise RuntimeError("no memory is left")

    closed = threading.Event()
    for pipeline in pipelines:
        monkeypatch.setattr(pipeline.estimator, "estimate", fail)
    with pytest.raises(RuntimeError, match="no memory is left"):
        list(answer_in_process(frames_until(closed), pipelines, 0.0))
    assert closed.wait(10)


def test_whoever_stops_asking_ends_the_reading(pipelines):
    closed = threading.Event()
    answers = answer_in_process(frames_until(closed), pipelines, 0.0)
    next(answers)
    answers.close()
    assert closed.wait(10)
