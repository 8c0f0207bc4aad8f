"""Where the time of one frame goes."""

from __future__ import annotations

import time
from collections.abc import Callable

from endo_depth_ros.depth.stages import Stage


class StageClock:
    """Shares a frame's time out among stages: each takes what passed since the one noted before."""

    def __init__(self, finish_device: Callable[[], None], now_ns: Callable[[], int] = time.perf_counter_ns) -> None:
        """finish_device: waits until the device has done all that it was given, whose time else counts later."""
        self._finish_device = finish_device
        self._now_ns = now_ns
        self._start_ns = self._last_ns = now_ns()
        self._spent_ns: dict[Stage, int] = {}

    def start(self) -> None:
        """A frame begins now."""
        self._spent_ns = {}
        self._start_ns = self._last_ns = self._now_ns()

    def note(self, stage: Stage) -> None:
        """What passed since the last note, or the start, was for this stage."""
        self._finish_device()
        now_ns = self._now_ns()
        self._spent_ns[stage] = self._spent_ns.get(stage, 0) + now_ns - self._last_ns
        self._last_ns = now_ns

    @property
    def stages_ms(self) -> dict[Stage, float]:
        """Milliseconds of each stage noted since the start."""
        return {stage: spent / 1e6 for stage, spent in self._spent_ns.items()}

    @property
    def total_ms(self) -> float:
        """Milliseconds from the start to the last note: the sum of the stages."""
        return (self._last_ns - self._start_ns) / 1e6
