"""Waiting for those who listen: before the first message, and after the last."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection

from rcl_interfaces.srv import GetParameters
from rclpy.client import Client
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import ReliabilityPolicy
from rclpy.task import Future

# Longest wait for a node without parameter services, which can't be asked whether it knows this side.
SETTLE_S = 1.0
ANSWER_DEADLINE_S = 5.0
ASK_PERIOD_S = 0.2
POLL_S = 0.02
ACK_POLL_S = 0.001


def wait_for_subscribers(
    node: Node, publishers: Collection[Publisher], stop: threading.Event, deadline_s: float, node_name: str = ""
) -> list[str]:
    """Wait until each of the node's publishers has a subscriber that knows it; node_name: of that node, '' for any.

    Returns the topics without one after deadline_s (0: no deadline).
    """
    end_s = time.monotonic() + deadline_s
    while not stop.is_set():
        listeners = {p.topic_name: _subscribing_nodes(node, p, node_name) for p in publishers}
        lonely = [topic for topic, names in listeners.items() if not names]
        if not lonely:
            _wait_until_known(node, set().union(*listeners.values()), stop)
            return []
        if deadline_s > 0 and time.monotonic() > end_s:
            return lonely
        stop.wait(POLL_S)
    return []


def wait_acknowledged(publishers: Collection[Publisher], stop: threading.Event, deadline_s: float) -> list[str]:
    """Wait until reliable subscribers have received everything; the topics of which they had not after deadline_s."""
    late = [p for p in publishers if p.qos_profile.reliability == ReliabilityPolicy.RELIABLE]
    end_s = time.monotonic() + deadline_s
    # Asked without waiting: the call's own wait would hold Python's lock.
    while late := [publisher for publisher in late if not publisher.wait_for_all_acked(Duration())]:
        if time.monotonic() > end_s or stop.wait(ACK_POLL_S):
            break
    return [publisher.topic_name for publisher in late]


def _subscribing_nodes(node: Node, publisher: Publisher, wanted: str) -> set[str]:
    """Full names of the nodes that subscribe to the publisher's topic, of those called `wanted` unless that is ''."""
    if publisher.get_subscription_count() == 0:
        return set()
    infos = node.get_subscriptions_info_by_topic(publisher.topic_name)
    return {f"{i.node_namespace.rstrip('/')}/{i.node_name}" for i in infos if wanted in ("", i.node_name)}


def _wait_until_known(node: Node, names: Collection[str], stop: threading.Event) -> None:
    """Wait until the nodes know this node's publishers; what is sent before that would be lost to them.

    Seeing a subscriber doesn't mean being seen. But DDS tells others of endpoints in the order in which they were made,
    so a node that answers a request of a client made here knows all publishers made before.
    """
    start_s = time.monotonic()
    clients = {name: node.create_client(GetParameters, f"{name}/get_parameters") for name in names}
    try:
        waiting = {name: list[Future]() for name in names}
        while waiting and time.monotonic() - start_s < ANSWER_DEADLINE_S:
            settled = time.monotonic() - start_s > SETTLE_S
            for name, answers in list(waiting.items()):
                if any(answer.done() for answer in answers) or (settled and not clients[name].service_is_ready()):
                    del waiting[name]
                else:
                    _ask(clients[name], answers, start_s)
            if stop.wait(POLL_S):
                return
    finally:
        for client in clients.values():
            node.destroy_client(client)


def _ask(client: Client, answers: list[Future], start_s: float) -> None:
    """Send one more request each ASK_PERIOD_S: of the first ones request or answer may meet an unmatched side."""
    due = (time.monotonic() - start_s) >= ASK_PERIOD_S * len(answers)
    if due and client.service_is_ready():
        answers.append(client.call_async(GetParameters.Request()))
