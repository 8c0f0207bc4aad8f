"""What tests share: a private ROS domain and waiting for events."""

from __future__ import annotations

import gc
import os
import random
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import hypothesis
import pytest

# Chosen before anything imports rclpy, inherited by the processes that tests start. 1-101 is safe on Linux.
os.environ["ROS_DOMAIN_ID"] = str(random.SystemRandom().randint(1, 101))
os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"

DEADLINE_S = 20.0

# How long an example takes says nothing on a machine that does other things too. New examples are for people at work;
# CI takes the same ones each time.
hypothesis.settings.register_profile("ours", deadline=None, derandomize=bool(os.environ.get("CI")))
hypothesis.settings.load_profile("ours")


@dataclass
class Graph:
    """Nodes of a test on one executor, and a way to wait for what they do."""

    executor: Any
    node: Any
    nodes: list[Any] = field(default_factory=list)

    def add(self, node: Any) -> Any:
        """Spin the node with the others; it is destroyed after the test."""
        self.executor.add_node(node)
        self.nodes.append(node)
        return node

    def wait_for(
        self, condition: Callable[[], Any], what: str = "the expected event", deadline_s: float = DEADLINE_S
    ) -> Any:
        """Spin until the condition is true and return its value; fail after the deadline."""
        end_s = time.monotonic() + deadline_s
        while time.monotonic() < end_s:
            result = condition()
            if result:
                return result
            self.executor.spin_once(timeout_sec=0.05)
        raise AssertionError(f"waited {deadline_s} s in vain for {what}")

    def collect(self, message_type: type, topic: str, qos: Any = 50) -> list[Any]:
        """A list that grows with each message on the topic."""
        messages: list[Any] = []
        self.node.create_subscription(message_type, topic, messages.append, qos)
        return messages

    def publisher(self, message_type: type, topic: str, qos: Any = 50) -> Any:
        """A publisher of the test's own node."""
        return self.node.create_publisher(message_type, topic, qos)

    def wait_matched(self, *publishers: Any) -> None:
        """Wait until every publisher has a subscriber."""
        self.wait_for(lambda: all(p.get_subscription_count() > 0 for p in publishers), "subscribers")


@contextmanager
def limited_files(limit: int) -> Iterator[None]:
    """While it lasts, writes behind this many bytes of a file fail, as on a full disk.

    Of every file of this process, the log that the test runner writes into too: so never longer than a test.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def full_disk() -> Callable[[int], AbstractContextManager[None]]:
    """A context in which files may have only so many bytes."""
    return limited_files


@pytest.fixture
def graph() -> Iterator[Graph]:
    """A started rclpy with a node of the test's own."""
    rclpy = pytest.importorskip("rclpy")
    from rclpy.executors import SingleThreadedExecutor

    rclpy.init()
    executor = SingleThreadedExecutor()
    node = rclpy.create_node("test_peer")
    executor.add_node(node)
    made = Graph(executor, node)
    yield made
    for each in (*made.nodes, node):
        executor.remove_node(each)
        each.destroy_node()
    executor.shutdown()
    rclpy.try_shutdown()
    # Nodes that refused to start are garbage with cycles, and each keeps a DDS participant with its threads.
    gc.collect()
