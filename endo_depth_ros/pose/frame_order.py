"""Which frames the camera is followed through: none twice, none that is late; after a jump back all begins anew."""

from __future__ import annotations

from endo_depth_ros.stamps import NANOSECONDS

# A frame that comes this late was overtaken by another on its way; more is a jump of the clock.
LATE_NS = NANOSECONDS // 10
# The same for frames without depth, which may overtake those that wait for theirs.
LATE_WITHOUT_DEPTH_NS = NANOSECONDS


class FrameOrder:
    """Judges the stamps of one camera's frames as they come.

    begins_anew: whether a new path begins with the last frame that was taken. back_ns: by how much the last frame
    that was asked about lies behind the newest one, 0 for the same stamp, negative when it follows.
    """

    def __init__(self) -> None:
        self.begins_anew = False
        self.back_ns = -1
        self._latest_ns: int | None = None

    def takes(self, stamp_ns: int, has_depth: bool) -> bool:
        """Whether the next frame is taken."""
        self.back_ns = -1 if self._latest_ns is None else self._latest_ns - stamp_ns
        late_ns = LATE_NS if has_depth else LATE_WITHOUT_DEPTH_NS
        if 0 <= self.back_ns < late_ns:
            return False
        self.begins_anew = self.back_ns > 0
        self._latest_ns = stamp_ns
        return True

    def forget(self) -> None:
        """Take any stamp next."""
        self._latest_ns = None
