"""Latency and rate of a stream, for diagnostics."""

from __future__ import annotations

import threading
from collections import deque

import numpy as np


class LatencyMeter:
    """Latencies of the last frames by the steady clock; thread-safe."""

    def __init__(self, window: int = 300) -> None:
        """window: how many frames are remembered."""
        self._lock = threading.Lock()
        self._latencies_ms: deque[float] = deque(maxlen=window)
        self._done_ns: deque[int] = deque(maxlen=window)
        self.frames = 0

    def add(self, received_ns: int, done_ns: int) -> float:
        """Note one frame by its times on the steady clock; returns its latency in milliseconds."""
        latency_ms = (done_ns - received_ns) / 1e6
        with self._lock:
            self._latencies_ms.append(latency_ms)
            self._done_ns.append(done_ns)
            self.frames += 1
        return latency_ms

    def percentile_ms(self, percent: float) -> float:
        """Percentile of the remembered latencies, milliseconds; NaN before the first frame."""
        with self._lock:
            return float(np.percentile(self._latencies_ms, percent)) if self._latencies_ms else float("nan")

    def rate_hz(self) -> float:
        """Frames per second over the remembered ones; NaN before the second frame."""
        with self._lock:
            span_ns = self._done_ns[-1] - self._done_ns[0] if self._done_ns else 0
            return 1e9 * (len(self._done_ns) - 1) / span_ns if span_ns > 0 else float("nan")
