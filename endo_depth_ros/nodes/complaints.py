"""Bad input, said once in a while and counted always."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Protocol


class Logger(Protocol):
    """The part of an rclpy logger that is used here."""

    def warning(self, message: str) -> bool:
        """Log a warning."""


class Complaints:
    """Counts what went wrong by kind and logs what is alike of one source at most once a period; thread-safe."""

    def __init__(
        self, logger: Logger, period_s: float = 5.0, monotonic_s: Callable[[], float] = time.monotonic
    ) -> None:
        """period_s: least time between two messages that are alike about the same source, in seconds."""
        self._logger = logger
        self._period_s = period_s
        self._monotonic_s = monotonic_s
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._silent: Counter[tuple[str, str]] = Counter()
        self._last_s: dict[tuple[str, str], float] = {}

    def report(self, kind: str, source: str, sentence: str) -> None:
        """Count one event; log `source: sentence` unless one like it was logged within the period.

        kind: short key for diagnostics, such as 'bad_image'. source: the topic or file.
        """
        key, now_s = (source, pattern_of(sentence)), self._monotonic_s()
        with self._lock:
            self._counts[kind] += 1
            if now_s - self._last_s.get(key, float("-inf")) < self._period_s:
                self._silent[key] += 1
                return
            self._last_s[key] = now_s
            silent = self._silent.pop(key, 0)
        more = f" ({silent} more like it since the last message)" if silent else ""
        self._logger.warning(f"{source}: {sentence}{more}")

    @property
    def counts(self) -> dict[str, int]:
        """Events so far by kind."""
        with self._lock:
            return dict(self._counts)


def pattern_of(sentence: str) -> str:
    """The sentence without its numbers, so that the same fault with other figures is the same."""
    return re.sub(r"[-+]?\d[\d.e+-]*", "#", sentence)
