"""When recorded messages are due on the steady clock: rate, pause, and starting over."""

from __future__ import annotations

import math


class PlaybackSchedule:
    """Maps recorded nanoseconds to seconds of a steady clock that the caller reads; sleeps nowhere."""

    def __init__(self, rate: float) -> None:
        """rate: recorded seconds per second."""
        self._rate = rate
        self._origin_ns = 0
        self._origin_s = 0.0
        self._paused = False

    @property
    def paused(self) -> bool:
        """Whether recorded time stands still."""
        return self._paused

    def start(self, stamp_ns: int, now_s: float) -> None:
        """Let recorded time be stamp_ns now; a pause stays."""
        self._origin_ns, self._origin_s = stamp_ns, now_s

    def pause(self, now_s: float) -> None:
        """Stop recorded time where it is."""
        if not self._paused:
            self._origin_ns, self._origin_s = self.stamp_ns_at(now_s), now_s
            self._paused = True

    def resume(self, now_s: float) -> None:
        """Let recorded time run on from where it stopped."""
        if self._paused:
            self._origin_s = now_s
            self._paused = False

    def due_s(self, stamp_ns: int) -> float:
        """Steady time at which recorded time reaches stamp_ns; infinite while paused."""
        if self._paused:
            return math.inf
        return self._origin_s + (stamp_ns - self._origin_ns) / 1e9 / self._rate

    def stamp_ns_at(self, now_s: float) -> int:
        """Recorded time now, nanoseconds."""
        if self._paused:
            return self._origin_ns
        return self._origin_ns + round((now_s - self._origin_s) * self._rate * 1e9)

    def give_way(self, stamp_ns: int, now_s: float, tolerance_s: float) -> None:
        """Let recorded time be stamp_ns now if that was due longer ago, so that no burst makes up for the delay."""
        if now_s - self.due_s(stamp_ns) > tolerance_s:
            self.start(stamp_ns, now_s)
