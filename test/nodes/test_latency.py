"""Latency of a stream."""

import math

from endo_depth_ros.nodes.latency import LatencyMeter


def test_percentiles_are_of_the_last_frames():
    meter = LatencyMeter(window=4)
    assert math.isnan(meter.percentile_ms(50))
    for latency_ms in (100, 1, 2, 3, 4):
        assert meter.add(0, latency_ms * 10**6) == latency_ms
    assert meter.percentile_ms(50) == 2.5
    assert meter.frames == 5


def test_the_rate_is_that_of_the_answers():
    meter = LatencyMeter()
    assert math.isnan(meter.rate_hz())
    for index in range(31):
        meter.add(0, 10**9 + index * 10**9 // 30)
    assert round(meter.rate_hz(), 3) == 30.0
