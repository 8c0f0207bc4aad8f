"""A frame on its way to the node that works on it next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from std_msgs.msg import Header

from endo_depth_ros.contracts import DepthEstimate, FrameStatus


@dataclass(frozen=True)
class IncomingFrame:
    """A frame that waits for its turn.

    received_ns: when its messages were complete (in memory: when its image came), by the steady clock.
    read: decodes it; raises ImageError, CameraError or FrameMessageError with a sentence.
    """

    header: Header
    received_ns: int
    read: Callable[[], DepthEstimate | FrameStatus]


class FrameConsumer(Protocol):
    """Who takes frames."""

    def take(self, incoming: IncomingFrame) -> None:
        """One more frame."""
