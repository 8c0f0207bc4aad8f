"""Joining of topics by stamp.

Both synchronizers keep, per input, the `queue_size` messages with the newest stamps; a second message of the same
stamp replaces the first. Callbacks run one at a time, in the thread that delivered the last message of the set.
"""

import itertools
import threading
from collections.abc import Sequence
from typing import Any

from rclpy.clock import ROSClock
from rclpy.duration import Duration
from rclpy.logging import get_logger
from rclpy.time import Time

from message_filters.filters import SimpleFilter

Queue = dict[int, Any]  # message by stamp in nanoseconds


class TimeSynchronizer(SimpleFilter):
    """Calls back with one message per input once all of them carry the same stamp."""

    def __init__(self, fs: Sequence[SimpleFilter], queue_size: int) -> None:
        super().__init__()
        self.queue_size = queue_size
        self.lock = threading.Lock()
        self.connectInput(fs)

    def connectInput(self, fs: Sequence[SimpleFilter]) -> None:
        """Listen to these filters; their order is that of the callback's arguments."""
        self.queues: list[Queue] = [{} for _ in fs]
        self.input_connections = [
            source.registerCallback(self.add, queue, index)
            for index, (source, queue) in enumerate(zip(fs, self.queues, strict=True))
        ]

    def add(self, msg: Any, my_queue: Queue, my_queue_index: int) -> None:
        """Take in a message of one input, and pass on the set that it completes."""
        with self.lock:
            stamp_ns = _read_stamp(msg)
            self._remember(msg, my_queue, stamp_ns)
            if all(stamp_ns in queue for queue in self.queues):
                self._deliver([stamp_ns] * len(self.queues))

    def _remember(self, msg: Any, queue: Queue, stamp_ns: int) -> None:
        queue[stamp_ns] = msg
        while len(queue) > self.queue_size:
            del queue[min(queue)]

    def _deliver(self, stamps_ns: Sequence[int]) -> None:
        """Call back with one message per queue, then forget them."""
        chosen = list(zip(self.queues, stamps_ns, strict=True))
        self.signalMessage(*(queue[stamp_ns] for queue, stamp_ns in chosen))
        for queue, stamp_ns in chosen:
            del queue[stamp_ns]


class ApproximateTimeSynchronizer(TimeSynchronizer):
    """Calls back with one message per input whose stamps lie less than `slop` seconds apart.

    Less, not equal: with slop 0 nothing matches. Each message looks for the nearest in the other inputs, as soon as
    it arrives. With `allow_headerless` a message without a header counts as stamped on arrival.
    """

    def __init__(
        self, fs: Sequence[SimpleFilter], queue_size: int, slop: float, allow_headerless: bool = False
    ) -> None:
        super().__init__(fs, queue_size)
        self.slop = Duration(seconds=slop)
        self.allow_headerless = allow_headerless

    def add(self, msg: Any, my_queue: Queue, my_queue_index: int) -> None:
        """Take in a message of one input, and pass on the best set that it completes."""
        if _has_stamp(msg):
            stamp_ns = _read_stamp(msg)
        elif self.allow_headerless:
            stamp_ns = ROSClock().now().nanoseconds
        else:
            get_logger("message_filters_approx").warning(
                "can not use message filters for messages without timestamp infomation when 'allow_headerless' is "
                "disabled. auto assign ROSTIME to headerless messages once enabling constructor option of "
                "'allow_headerless'."
            )
            return
        with self.lock:
            self._remember(msg, my_queue, stamp_ns)
            stamps_ns = self._find_set(stamp_ns, my_queue_index)
            if stamps_ns is not None:
                self._deliver(stamps_ns)

    def _find_set(self, stamp_ns: int, index: int) -> Sequence[int] | None:
        """Return a stamp per queue, `stamp_ns` in queue `index` among them, or None where no set is close enough."""
        slop_ns = self.slop.nanoseconds
        candidates = [
            sorted((other for other in queue if abs(other - stamp_ns) <= slop_ns), key=lambda s: abs(s - stamp_ns))
            for queue in self.queues
        ]
        # The new message itself may have been dropped at once, as the oldest of a full queue.
        candidates[index] = [stamp_ns] if stamp_ns in self.queues[index] else []
        sets = itertools.product(*candidates)
        return next((stamps for stamps in sets if max(stamps) - min(stamps) < slop_ns), None)


def _has_stamp(msg: Any) -> bool:
    return hasattr(msg, "header") and hasattr(msg.header, "stamp")


def _read_stamp(msg: Any) -> int:
    return Time.from_msg(msg.header.stamp).nanoseconds
