"""Time shared out among stages."""

from endo_depth_ros.benchmark.stage_clock import StageClock
from endo_depth_ros.depth.stages import Stage


def clock_at(times_ms, finish_device=lambda: None):
    times = iter(times_ms)
    return StageClock(finish_device, lambda: next(times) * 1_000_000)


def test_a_stage_takes_what_passed_since_the_one_before_and_pieces_add_up():
    clock = clock_at([0, 10, 11, 15, 17, 20])
    clock.start()
    for stage in (Stage.DECODE, Stage.NETWORK, Stage.DECODE, Stage.POST):
        clock.note(stage)
    assert clock.stages_ms == {Stage.DECODE: 3.0, Stage.NETWORK: 4.0, Stage.POST: 3.0}
    assert clock.total_ms == sum(clock.stages_ms.values()) == 10.0


def test_a_new_frame_begins_at_nothing():
    clock = clock_at([0, 10, 11, 100])
    clock.start()
    clock.note(Stage.DECODE)
    clock.start()
    assert (clock.stages_ms, clock.total_ms) == ({}, 0.0)


def test_a_stage_ends_when_its_device_is_done():
    waited = []
    clock = clock_at([0, 0, 1], lambda: waited.append("device"))
    clock.start()
    assert waited == []
    clock.note(Stage.NETWORK)
    assert waited == ["device"]
