"""Sources of messages that others can connect to."""

from collections.abc import Callable
from typing import Any

from rclpy.node import Node
from rclpy.qos import QoSProfile


class SimpleFilter:
    """Passes messages on to the callbacks registered with it."""

    def __init__(self) -> None:
        self.callbacks: dict[int, tuple[Callable[..., None], tuple[Any, ...]]] = {}

    def registerCallback(self, cb: Callable[..., None], *args: Any) -> int:
        """Have `cb` called with each output, followed by `args`; return the connection's number."""
        connection = len(self.callbacks)
        self.callbacks[connection] = (cb, args)
        return connection

    def signalMessage(self, *msg: Any) -> None:
        """Call every callback with the messages, in the order of registration."""
        for callback, args in self.callbacks.values():
            callback(*msg, *args)


class Subscriber(SimpleFilter):
    """A subscription as a filter; `kwargs` go to `Node.create_subscription`."""

    def __init__(
        self, node: Node, msg_type: type, topic: str, *, qos_profile: QoSProfile | int = 10, **kwargs: Any
    ) -> None:
        super().__init__()
        self.node = node
        self.topic = topic
        self.sub = node.create_subscription(msg_type, topic, self.callback, qos_profile=qos_profile, **kwargs)

    def callback(self, msg: Any) -> None:
        """Pass a message on."""
        self.signalMessage(msg)

    def getTopic(self) -> str:
        """Return the topic as it was given."""
        return self.topic

    def __getattr__(self, key: str) -> Any:
        """Offer the subscription's own attributes."""
        if key == "sub":  # not subscribed yet: asking the subscription would ask here again
            raise AttributeError(key)
        return getattr(self.sub, key)
