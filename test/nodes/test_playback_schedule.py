"""When recorded messages are due."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endo_depth_ros.nodes.playback_schedule import PlaybackSchedule

SECOND = 10**9
rates = st.sampled_from([0.1, 0.5, 1.0, 2.0, 10.0])
times_s = st.floats(0, 1e6)


@given(rate=rates, start_s=times_s, offset_ns=st.integers(0, 3600 * SECOND))
def test_messages_are_due_at_the_rate(rate, start_s, offset_ns):
    schedule = PlaybackSchedule(rate)
    schedule.start(7 * SECOND, start_s)
    due_s = schedule.due_s(7 * SECOND + offset_ns)
    assert due_s == pytest.approx(start_s + offset_ns / 1e9 / rate)
    assert schedule.stamp_ns_at(due_s) == pytest.approx(7 * SECOND + offset_ns, abs=rate * 2000)


@given(rate=rates, run_s=st.floats(0, 100), pause_s=st.floats(0, 100))
def test_a_pause_delays_everything_by_its_length(rate, run_s, pause_s):
    schedule = PlaybackSchedule(rate)
    schedule.start(0, 0.0)
    before_s = schedule.due_s(1000 * SECOND)
    schedule.pause(run_s)
    assert schedule.due_s(1000 * SECOND) == math.inf
    assert schedule.stamp_ns_at(run_s) == schedule.stamp_ns_at(run_s + pause_s)
    schedule.resume(run_s + pause_s)
    assert schedule.due_s(1000 * SECOND) == pytest.approx(before_s + pause_s, abs=1e-6)


def test_starting_over_goes_back_and_keeps_the_pause():
    schedule = PlaybackSchedule(1.0)
    schedule.start(0, 0.0)
    schedule.pause(5.0)
    schedule.start(2 * SECOND, 6.0)
    assert schedule.paused
    assert schedule.stamp_ns_at(9.0) == 2 * SECOND
    schedule.resume(10.0)
    assert schedule.due_s(3 * SECOND) == 11.0


def test_pausing_twice_is_pausing_once():
    schedule = PlaybackSchedule(1.0)
    schedule.start(0, 0.0)
    schedule.pause(1.0)
    schedule.pause(2.0)
    assert schedule.stamp_ns_at(3.0) == SECOND
    schedule.resume(4.0)
    schedule.resume(5.0)
    assert schedule.stamp_ns_at(5.0) == 2 * SECOND


def test_small_delays_are_made_up_for_and_long_ones_are_not():
    schedule = PlaybackSchedule(1.0)
    schedule.start(0, 0.0)
    schedule.give_way(SECOND, 1.05, tolerance_s=0.1)
    assert schedule.due_s(2 * SECOND) == 2.0
    schedule.give_way(2 * SECOND, 3.0, tolerance_s=0.1)
    assert schedule.due_s(3 * SECOND) == 4.0
