"""Frames waiting for the worker: the newest one, or a bounded queue."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class FrameSlot(Generic[T]):
    """Hands items from one thread to another; when full, the oldest gives way and is counted as dropped."""

    def __init__(self, capacity: int = 1) -> None:
        """capacity: 1 keeps only the newest item."""
        self._items: deque[T] = deque()
        self._capacity = capacity
        self._ready = threading.Condition()
        self._closed = False
        self.dropped = 0

    def put(self, item: T) -> bool:
        """Add an item; False when an older one was dropped for it."""
        with self._ready:
            full = len(self._items) >= self._capacity
            if full:
                self._items.popleft()
                self.dropped += 1
            self._items.append(item)
            self._ready.notify()
        return not full

    def take(self) -> T | None:
        """The oldest waiting item; waits for one. None once the slot is closed."""
        with self._ready:
            self._ready.wait_for(lambda: self._items or self._closed)
            return None if self._closed else self._items.popleft()

    def close(self) -> None:
        """Make every present and future `take` return None; what still waits counts as dropped."""
        with self._ready:
            self._closed = True
            self.dropped += len(self._items)
            self._items.clear()
            self._ready.notify_all()
