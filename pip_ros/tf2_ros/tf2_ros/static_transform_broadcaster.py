"""Publishes transforms that hold at all times."""

from collections.abc import Iterable

from geometry_msgs.msg import TransformStamped
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile
from tf2_msgs.msg import TFMessage

from tf2_ros.transform_broadcaster import list_transforms


class StaticTransformBroadcaster:
    """Publishes on /tf_static, latched, all frames it was ever given in each message.

    A frame keeps the first transform that it was given: the official Python broadcaster ignores later ones.
    """

    def __init__(self, node: Node, qos: QoSProfile | int | None = None) -> None:
        if qos is None:
            qos = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL, history=HistoryPolicy.KEEP_LAST)
        self.pub_tf = node.create_publisher(TFMessage, "/tf_static", qos)
        self._transforms: dict[str, TransformStamped] = {}

    def sendTransform(self, transform: TransformStamped | Iterable[TransformStamped]) -> None:
        """Publish one transform or several, along with all earlier ones."""
        for one in list_transforms(transform):
            self._transforms.setdefault(one.child_frame_id, one)
        self.pub_tf.publish(TFMessage(transforms=list(self._transforms.values())))
