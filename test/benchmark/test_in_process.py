"""The way of a frame in one process, stage by stage."""

import gc
from contextlib import nullcontext

import pytest
from workloads import wall_workload

from endo_depth_ros.benchmark import in_process
from endo_depth_ros.benchmark.in_process import TimedFrame, measure_in_process, peak_rss_mb, refuse_fallback, summarise
from endo_depth_ros.benchmark.workload import BenchmarkError
from endo_depth_ros.contracts import FrameStatus, Verdict
from endo_depth_ros.depth.stages import Stage

WITHOUT_PUBLISH = ["decode", "judge", "preprocess", "network", "post", "cloud"]


@pytest.fixture(autouse=True)
def _thawed():
    yield
    gc.unfreeze()


@pytest.fixture
def published(monkeypatch):
    """What would have been published; no ROS."""
    seen = []
    publishing = nullcontext(lambda estimate, points: seen.append((estimate, points)))
    monkeypatch.setattr(in_process, "open_publishing", lambda with_cloud: (publishing, ""))
    return seen


def timed(total_ms, verdict=Verdict.OK, reason=""):
    stages = {Stage.DECODE: total_ms / 4, Stage.POST: 3 * total_ms / 4}
    return TimedFrame((320, 256), FrameStatus(0, verdict, reason), stages, total_ms)


def test_every_stage_of_every_frame_is_timed(published):
    found = measure_in_process(wall_workload(frames=4))
    assert list(found.stages) == [*WITHOUT_PUBLISH, "publish"]
    assert (found.frames, found.verdicts) == (4, {"ok": 4})
    assert (found.depth_width, found.depth_height) == (320, 256)
    assert found.throughput_hz > 0
    assert all(0 <= stage.p50_ms <= stage.p95_ms <= stage.p99_ms for stage in found.stages.values())


def test_frames_for_warming_up_are_published_but_not_counted(published):
    found = measure_in_process(wall_workload(frames=2))
    assert (found.frames, len(published)) == (2, 3)
    assert all(len(points) == estimate.valid.sum() > 0 for estimate, points in published)


def test_stages_add_up_to_the_whole_frame(published, monkeypatch):
    kept = []
    monkeypatch.setattr(in_process, "summarise", lambda frames, duration_s, obstacle: kept.extend(frames))
    measure_in_process(wall_workload())
    assert len(kept) == 3
    for frame in kept:
        assert frame.total_ms == pytest.approx(sum(frame.stages_ms.values()))


def test_without_a_subscriber_no_cloud_is_built_and_without_ros_nothing_published(monkeypatch):
    monkeypatch.setattr(in_process, "open_publishing", lambda with_cloud: (nullcontext(), "no ROS"))
    found = measure_in_process(wall_workload(with_cloud=False, as_jpeg=True))
    assert list(found.stages) == WITHOUT_PUBLISH[:-1]
    assert found.publish_obstacle == "no ROS"


def test_figures_are_of_the_frames_with_depth():
    found = summarise([timed(8.0), timed(0.1, Verdict.BLURRED), timed(4.0)], duration_s=0.5, publish_obstacle="")
    assert found.verdicts == {"ok": 2, "blurred": 1}
    assert found.throughput_hz == 6.0
    assert found.end_to_end.p50_ms == 6.0
    assert {stage: figures.p50_ms for stage, figures in found.stages.items()} == {"decode": 1.5, "post": 4.5}


def test_a_video_without_depth_is_refused_with_the_verdict():
    with pytest.raises(BenchmarkError, match=r"no frame .* \(dark: level 3\); take another video"):
        summarise([timed(1.0, Verdict.DARK, "level 3")], 1.0, "")


def test_a_device_that_fails_ends_the_measurement():
    with pytest.raises(BenchmarkError, match="memory is full; free the device"):
        refuse_fallback("the GPU's memory is full; going on more slowly on the CPU")


def test_memory_is_in_megabytes():
    before_mb = peak_rss_mb()
    block = bytearray(200_000_000)
    for place in range(0, len(block), 4096):
        block[place] = 1
    assert 150 <= peak_rss_mb() <= 100_000
    assert peak_rss_mb() >= before_mb
