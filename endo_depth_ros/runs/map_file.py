"""Arrays one after the other in a file, so that memory does not grow with their number."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Place:
    """Where an array lies."""

    offset: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


class MapFile:
    """A file of arrays; threads may append and read."""

    def __init__(self, path: Path) -> None:
        """path: written anew. Raises OSError."""
        self._file = path.open("w+b")
        self._end = 0
        self._lock = threading.Lock()

    def append(self, array: NDArray[Any]) -> Place:
        """Write the array behind the last one. Raises OSError where the disk is full."""
        with self._lock:
            place = Place(self._end, array.shape, array.dtype)
            self._file.write(np.ascontiguousarray(array).data)
            self._file.flush()
            self._end += array.nbytes
        return place

    def read(self, place: Place) -> NDArray[Any]:
        """An array that was written before."""
        array = np.empty(place.shape, place.dtype)
        os.preadv(self._file.fileno(), [array.data.cast("B")], place.offset)
        return array

    def __enter__(self) -> MapFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
