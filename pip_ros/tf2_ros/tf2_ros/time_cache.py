"""What the buffer remembers of one frame: its transforms to the parent, by time."""

from bisect import bisect_left, bisect_right
from typing import NamedTuple

from tf2_ros.exceptions import ExtrapolationException
from tf2_ros.rigid import Rigid, interpolate


class Sample(NamedTuple):
    """`transform` moves points of the frame into `parent` at `stamp_ns`; stamp 0 stands for any time."""

    stamp_ns: int
    parent: str
    transform: Rigid


class StaticCache:
    """One transform that holds at all times."""

    def __init__(self) -> None:
        self._sample: Sample | None = None

    def insert(self, sample: Sample) -> bool:
        """Replace the transform."""
        self._sample = sample._replace(stamp_ns=0)
        return True

    def find(self, stamp_ns: int) -> Sample:
        """Return the transform, whatever the time."""
        if self._sample is None:
            raise ExtrapolationException("")
        return self._sample

    def clear(self) -> None:
        """Keep the transform: static ones survive a jump of the clock."""


class TimeCache:
    """The transforms of the last `length_ns`, oldest first."""

    def __init__(self, length_ns: int) -> None:
        self._length_ns = length_ns
        self._stamps: list[int] = []
        self._samples: list[Sample] = []

    def insert(self, sample: Sample) -> bool:
        """Add a sample, in order of time; False where it is older than the cache is long.

        What is too old by the newest stamp so far goes first: tf2 does it in this order.
        """
        if self._stamps:
            oldest_kept_ns = self._stamps[-1] - self._length_ns
            expired = bisect_left(self._stamps, oldest_kept_ns)
            del self._stamps[:expired], self._samples[:expired]
            if sample.stamp_ns < oldest_kept_ns:
                return False
        first, last = bisect_left(self._stamps, sample.stamp_ns), bisect_right(self._stamps, sample.stamp_ns)
        if sample not in self._samples[first:last]:
            self._stamps.insert(last, sample.stamp_ns)
            self._samples.insert(last, sample)
        return True

    def find(self, stamp_ns: int) -> Sample:
        """Return the sample at a time, interpolated between neighbours; the newest for time 0.

        Raises ExtrapolationException outside the samples. Where the parent changes between two neighbours the
        older one holds.
        """
        if not self._samples:
            raise ExtrapolationException("")
        if stamp_ns == 0 or stamp_ns == self._stamps[-1]:
            return self._samples[-1]
        if stamp_ns == self._stamps[0]:
            return self._samples[0]
        if not self._stamps[0] < stamp_ns < self._stamps[-1]:
            raise ExtrapolationException(self._explain_gap(stamp_ns))
        newer_index = bisect_right(self._stamps, stamp_ns)
        older, newer = self._samples[newer_index - 1], self._samples[newer_index]
        if older.parent != newer.parent:
            return older
        ratio = (stamp_ns - older.stamp_ns) / (newer.stamp_ns - older.stamp_ns)
        return older._replace(transform=interpolate(older.transform, newer.transform, ratio))

    def clear(self) -> None:
        """Forget all samples."""
        self._stamps.clear()
        self._samples.clear()

    def _explain_gap(self, stamp_ns: int) -> str:
        asked, oldest, newest = (format_time(ns) for ns in (stamp_ns, self._stamps[0], self._stamps[-1]))
        if len(self._stamps) == 1:
            return f"Lookup would require extrapolation at time {asked}, but only time {newest} is in the buffer"
        if stamp_ns > self._stamps[-1]:
            return (
                "Lookup would require extrapolation into the future.  "
                f"Requested time {asked} but the latest data is at time {newest}"
            )
        return (
            "Lookup would require extrapolation into the past.  "
            f"Requested time {asked} but the earliest data is at time {oldest}"
        )


def format_time(stamp_ns: int) -> str:
    """Return seconds with six decimals, as tf2 prints times."""
    return f"{stamp_ns // 10**9 + 1e-9 * (stamp_ns % 10**9):.6f}"
