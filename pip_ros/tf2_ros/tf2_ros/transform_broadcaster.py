"""Publishes transforms that change with time."""

from collections.abc import Iterable

from geometry_msgs.msg import TransformStamped
from rclpy.node import Node
from rclpy.qos import QoSProfile
from tf2_msgs.msg import TFMessage


class TransformBroadcaster:
    """Publishes on /tf."""

    def __init__(self, node: Node, qos: QoSProfile | int | None = None) -> None:
        self.pub_tf = node.create_publisher(TFMessage, "/tf", QoSProfile(depth=100) if qos is None else qos)

    def sendTransform(self, transform: TransformStamped | Iterable[TransformStamped]) -> None:
        """Publish one transform, or several in one message."""
        self.pub_tf.publish(TFMessage(transforms=list_transforms(transform)))


def list_transforms(transform: TransformStamped | Iterable[TransformStamped]) -> list[TransformStamped]:
    """Return what a caller may give as one transform or as several, as a list."""
    return list(transform) if isinstance(transform, Iterable) else [transform]
