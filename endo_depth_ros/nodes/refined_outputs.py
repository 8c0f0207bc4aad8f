"""What pose_node publishes about depth: that of depth_node, refined by the camera's motion; only for listeners."""

from __future__ import annotations

from typing import Any

from rclpy.lifecycle import LifecycleNode
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from std_msgs.msg import Header

from endo_depth_ros.contracts import DepthEstimate
from endo_depth_ros.geometry.camera import Camera
from endo_depth_ros.geometry.pointcloud import PointCloudBuilder
from endo_depth_ros.nodes.depth_outputs import has_listener
from endo_depth_ros.nodes.messages import image_message, points_message, rectified_camera_info_message


class RefinedOutputs:
    """The publishers of refined_depth/…, the same types and conventions as depth_node's depth/…."""

    def __init__(self, node: LifecycleNode, history: int) -> None:
        """Create the publishers; they stay silent until the node is active. history: messages kept for listeners."""
        self._node = node
        self._qos = QoSProfile(depth=history, reliability=ReliabilityPolicy.RELIABLE)
        self._depth = self._publisher(Image, "refined_depth/image_rect")
        self._camera_info = self._publisher(CameraInfo, "refined_depth/camera_info")
        self._sigma = self._publisher(Image, "refined_depth/sigma")
        self._points = self._publisher(PointCloud2, "refined_depth/points")
        self._point_builder: PointCloudBuilder | None = None
        self._point_camera: Camera | None = None

    def destroy(self) -> None:
        """Remove the publishers from the node."""
        for publisher in (self._depth, self._camera_info, self._sigma, self._points):
            self._node.destroy_lifecycle_publisher(publisher)

    def wanted(self) -> bool:
        """Whether anybody listens."""
        return any(map(has_listener, (self._depth, self._camera_info, self._sigma, self._points)))

    def publish(self, header: Header, refined: DepthEstimate) -> None:
        """The refined depth of a frame."""
        camera = refined.frame.camera
        if has_listener(self._depth):
            self._depth.publish(image_message(header, refined.depth, "32FC1"))
        if has_listener(self._camera_info):
            self._camera_info.publish(rectified_camera_info_message(header, camera))
        if has_listener(self._sigma):
            self._sigma.publish(image_message(header, refined.sigma, "32FC1"))
        if has_listener(self._points):
            if self._point_builder is None or self._point_camera != camera:
                self._point_builder, self._point_camera = PointCloudBuilder(camera), camera
            cloud = self._point_builder.dense_points(refined.depth, refined.frame.image)
            self._points.publish(points_message(header, cloud))

    def _publisher(self, message_type: type, topic: str) -> Any:
        overriding = QoSOverridingOptions.with_default_policies()
        return self._node.create_lifecycle_publisher(message_type, topic, self._qos, qos_overriding_options=overriding)
