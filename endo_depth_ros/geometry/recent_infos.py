"""The last CameraInfo messages of a stream, by stamp."""

from __future__ import annotations

import threading
from typing import Any

from endo_depth_ros.stamps import stamp_ns_of

REMEMBERED = 200


class RecentInfos:
    """Remembers CameraInfo messages, of rclpy or of the rosbags type store; thread-safe."""

    def __init__(self, first: Any | None = None) -> None:
        """first: the one to answer with before any has been added."""
        self._lock = threading.Lock()
        self._latest = first
        self._by_stamp: dict[int, Any] = {}

    def add(self, info: Any) -> None:
        """Remember a message."""
        with self._lock:
            self._latest = info
            self._by_stamp[stamp_ns_of(info.header)] = info
            if len(self._by_stamp) > REMEMBERED:
                del self._by_stamp[next(iter(self._by_stamp))]

    def has(self, stamp_ns: int) -> bool:
        """Whether one of exactly this stamp is there."""
        with self._lock:
            return stamp_ns in self._by_stamp

    def get(self, stamp_ns: int) -> Any | None:
        """The one of this stamp, else the latest, else the first."""
        with self._lock:
            return self._by_stamp.get(stamp_ns, self._latest)
