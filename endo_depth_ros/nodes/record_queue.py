"""Messages on their way from subscriptions to the disk, bounded in memory."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from endo_depth_ros.bags.bag import BagTopic

CLOSED: None = None


@dataclass(frozen=True)
class Received:
    """CDR bytes of a topic and when they came, nanoseconds of the node's clock."""

    topic: BagTopic
    stamp_ns: int
    data: bytes


class RecordQueue:
    """Thread-safe; a message that would exceed the memory is dropped and counted."""

    def __init__(self, max_bytes: int) -> None:
        """max_bytes: of message data that may wait."""
        self._max_bytes = max_bytes
        self._waiting: list[Received] = []
        self._bytes = 0
        self._closed = False
        self._condition = threading.Condition()
        self.dropped = 0

    def put(self, message: Received) -> bool:
        """Add a message; False when there is no room for it."""
        with self._condition:
            if self._bytes + len(message.data) > self._max_bytes:
                self.dropped += 1
                return False
            self._waiting.append(message)
            self._bytes += len(message.data)
            self._condition.notify()
            return True

    def take(self, timeout_s: float) -> list[Received] | None:
        """All waiting messages, none after the timeout; None when the queue is closed and empty."""
        with self._condition:
            if not self._waiting and not self._closed:
                self._condition.wait(timeout_s)
            if not self._waiting and self._closed:
                return CLOSED
            taken, self._waiting = self._waiting, []
            return taken

    def release(self, message: Received) -> None:
        """Give the memory of a taken message back."""
        with self._condition:
            self._bytes -= len(message.data)

    def close(self) -> None:
        """Let the reader finish: no message comes any more."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()
