"""The subscription to the latched topic `scale`."""

from __future__ import annotations

from collections.abc import Callable

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node

from endo_depth_ros.contracts import Scale
from endo_depth_ros.nodes.complaints import Complaints
from endo_depth_ros.nodes.scale_messages import LATCHED, TOPIC, ScaleMessageError, scale_of


class ScaleInput:
    """Hands on every scale that can be one; complains of others."""

    def __init__(self, node: Node, complaints: Complaints, use: Callable[[Scale], None]) -> None:
        """use: takes a measured scale, in the executor's thread."""
        self._node, self._complaints, self._use = node, complaints, use
        self._subscription = node.create_subscription(DiagnosticArray, TOPIC, self._on_message, LATCHED)

    def destroy(self) -> None:
        """Remove the subscription from the node."""
        self._node.destroy_subscription(self._subscription)

    def _on_message(self, message: DiagnosticArray) -> None:
        try:
            self._use(scale_of(message))
        except ScaleMessageError as error:
            self._complaints.report("bad_scale", self._node.resolve_topic_name(TOPIC), str(error))
