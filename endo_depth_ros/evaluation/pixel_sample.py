"""A bounded, repeatable sample of the pixels of a sequence, for statistics that no running sum gives."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

DEFAULT_LIMIT = 20_000_000


class PixelSample:
    """Rows of numbers, all of them up to `limit`, beyond it every 2nd, 4th, 8th … of the stream."""

    def __init__(self, columns: int, limit: int = DEFAULT_LIMIT) -> None:
        """columns: numbers a row. limit: rows kept at most, at 4 bytes a number."""
        self._parts: list[NDArray[np.float32]] = []
        self._columns, self._limit = columns, limit
        self._stride, self._next = 1, 0
        self._kept = 0

    @property
    def stride(self) -> int:
        """1 while nothing was left out; every stride-th row is kept."""
        return self._stride

    def add(self, rows: NDArray[np.floating]) -> None:
        """Append rows [N, columns]."""
        taken = rows[self._next :: self._stride].astype(np.float32)
        self._next = (self._next - len(rows)) % self._stride
        self._parts.append(taken)
        self._kept += len(taken)
        while self._kept > self._limit:
            self._thin()

    def rows(self) -> NDArray[np.float32]:
        """The sample, [M, columns], in the order of the stream."""
        if not self._parts:
            return np.zeros((0, self._columns), np.float32)
        self._parts = [np.concatenate(self._parts)]
        return self._parts[0]

    def _thin(self) -> None:
        kept = self.rows()
        # The row that would come next is the stream's kept * stride-th: it stays in step only if kept is even.
        if len(kept) % 2:
            self._next += self._stride
        self._parts = [kept[::2].copy()]
        self._kept = len(self._parts[0])
        self._stride *= 2
