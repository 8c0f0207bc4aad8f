"""What pose_node says about a frame, gathered from its topics."""

from __future__ import annotations

from dataclasses import dataclass, field

from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import Point, Quaternion, Vector3
from nav_msgs.msg import Odometry
from rclpy.node import Node
from tf2_msgs.msg import TFMessage

from endo_depth_ros.cli.lock_step_parameters import MAP_FRAME
from endo_depth_ros.contracts import TrackingState
from endo_depth_ros.geometry.transforms import Transform, pose_matrix
from endo_depth_ros.pose.trajectory_log import SEEN
from endo_depth_ros.runs.prediction_store import TrackedPose
from endo_depth_ros.stamps import stamp_ns_of

STATUS, ODOMETRY, TF = "pose/status", "odometry", "/tf"


@dataclass
class PoseAnswers:
    """The messages of the frame that is waited for."""

    stamp_ns: int = -1
    _status: dict[str, str] = field(default_factory=dict)
    _T_odom_camera: Transform | None = None
    _T_map_odom: Transform | None = None

    def listen(self, node: Node) -> None:
        """Subscribe to what pose_node publishes."""
        node.create_subscription(DiagnosticArray, STATUS, self._on_status, 10)
        node.create_subscription(Odometry, ODOMETRY, self._on_odometry, 10)
        node.create_subscription(TFMessage, TF, self._on_transforms, 10)

    def expect(self, stamp_ns: int) -> None:
        """Forget the last frame and wait for this one."""
        self.stamp_ns, self._status = stamp_ns, {}
        self._T_odom_camera = self._T_map_odom = None

    def is_complete(self) -> bool:
        """Whether all has come that pose_node publishes about the frame."""
        if not self._status:
            return False
        known = self._T_odom_camera is not None and self._T_map_odom is not None
        return known or self._status["published"] == "false"

    def read(self) -> TrackedPose:
        """The pose of a complete frame."""
        state = TrackingState(self._status["state"])
        T_map_camera = None
        if state in SEEN and self._T_map_odom is not None and self._T_odom_camera is not None:
            T_map_camera = self._T_map_odom @ self._T_odom_camera
        return TrackedPose(state, T_map_camera, int(self._status["segment"]), self._status["reason"])

    def _on_status(self, message: DiagnosticArray) -> None:
        if stamp_ns_of(message.header) == self.stamp_ns:
            self._status = {pair.key: pair.value for pair in message.status[0].values}

    def _on_odometry(self, message: Odometry) -> None:
        if stamp_ns_of(message.header) == self.stamp_ns:
            pose = message.pose.pose
            self._T_odom_camera = matrix_of(pose.position, pose.orientation)

    def _on_transforms(self, message: TFMessage) -> None:
        for each in message.transforms:
            if stamp_ns_of(each.header) == self.stamp_ns and each.header.frame_id == MAP_FRAME:
                self._T_map_odom = matrix_of(each.transform.translation, each.transform.rotation)


def matrix_of(position: Point | Vector3, q: Quaternion) -> Transform:
    """A pose [4, 4] of messages."""
    return pose_matrix((position.x, position.y, position.z), (q.x, q.y, q.z, q.w))
