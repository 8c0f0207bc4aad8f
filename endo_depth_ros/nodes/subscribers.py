"""Waiting for those who listen: before the first message, and after the last."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection

from rclpy.duration import Duration
from rclpy.publisher import Publisher
from rclpy.qos import ReliabilityPolicy

# A subscriber that this side sees may not see this side yet, and then misses what is sent.
SETTLE_S = 0.5
POLL_S = 0.02
ACK_POLL_S = 0.001


def wait_for_subscribers(publishers: Collection[Publisher], stop: threading.Event, deadline_s: float) -> list[str]:
    """Wait until each publisher has a subscriber; returns the topics without one after deadline_s (0: no deadline)."""
    end_s = time.monotonic() + deadline_s
    while not stop.is_set():
        lonely = [publisher.topic_name for publisher in publishers if publisher.get_subscription_count() == 0]
        if not lonely:
            stop.wait(SETTLE_S)
            return []
        if deadline_s > 0 and time.monotonic() > end_s:
            return lonely
        stop.wait(POLL_S)
    return []


def wait_acknowledged(publishers: Collection[Publisher], stop: threading.Event, deadline_s: float) -> bool:
    """Wait until reliable subscribers have received everything; False when some had not after deadline_s."""
    reliable = [p for p in publishers if p.qos_profile.reliability == ReliabilityPolicy.RELIABLE]
    end_s = time.monotonic() + deadline_s
    # Asked without waiting: the call's own wait would hold Python's lock.
    while not all(publisher.wait_for_all_acked(Duration()) for publisher in reliable):
        if time.monotonic() > end_s or stop.wait(ACK_POLL_S):
            return False
    return True
