"""Work that one thread has begun and the next one finishes, in order."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class HandOver(Generic[T]):
    """Holds one item at most: who begins waits until the one before was taken, so that nothing grows old in a queue."""

    def __init__(self) -> None:
        self._items: list[T] = []
        self._closed = False
        self._changed = threading.Condition()

    def wait_until_empty(self) -> bool:
        """Wait until what was put has been taken; False when nobody takes any more."""
        with self._changed:
            self._changed.wait_for(lambda: not self._items or self._closed)
            return not self._closed

    def put(self, item: T) -> None:
        """Hand an item over; the giver waited until it was empty."""
        with self._changed:
            self._items.append(item)
            self._changed.notify_all()

    def take(self) -> T | None:
        """The item; waits for one. None once it is closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._closed)
            item = self._items.pop() if self._items else None
            self._changed.notify_all()
            return item

    def close(self) -> None:
        """Nothing more will be put, or taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
