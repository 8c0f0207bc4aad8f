"""Depth on real publishers with listeners, for the time that publishing takes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from numpy.typing import NDArray
from rclpy.node import Node
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from std_msgs.msg import Header

from endo_depth_ros.benchmark.in_process import Publish
from endo_depth_ros.benchmark.workload import BenchmarkError
from endo_depth_ros.contracts import DepthEstimate
from endo_depth_ros.nodes.messages import (
    image_message,
    points_message,
    rectified_camera_info_message,
    status_message,
)
from endo_depth_ros.nodes.quiet_domain import join_quiet_domain

MATCH_DEADLINE_S = 20.0
TOPICS = {"depth/image_rect": Image, "depth/camera_info": CameraInfo, "depth/status": DiagnosticArray}
CLOUD_TOPIC = "depth/points"


@contextmanager
def publishing(with_cloud: bool) -> Iterator[Publish]:
    """Publishes the messages of a frame to listeners in this process. Raises BenchmarkError without a working DDS."""
    join_quiet_domain()
    node = rclpy.create_node("benchmark")
    try:
        topics = {**TOPICS, CLOUD_TOPIC: PointCloud2} if with_cloud else TOPICS
        publishers = {topic: node.create_publisher(kind, topic, QoSProfile(depth=1)) for topic, kind in topics.items()}
        for topic, kind in topics.items():
            node.create_subscription(kind, topic, ignore_message, QoSProfile(depth=1))
        wait_for_listeners(node, publishers)
        yield lambda estimate, points: publish(publishers, estimate, points)
    finally:
        node.destroy_node()
        rclpy.try_shutdown()


def publish(publishers: dict[str, Any], estimate: DepthEstimate, points: NDArray[np.void] | None) -> None:
    """Make and send the messages of one frame."""
    header = Header(frame_id=estimate.frame.frame_id)
    header.stamp.sec, header.stamp.nanosec = divmod(estimate.frame.stamp_ns, 10**9)
    publishers["depth/image_rect"].publish(image_message(header, estimate.depth, "32FC1"))
    publishers["depth/camera_info"].publish(rectified_camera_info_message(header, estimate.frame.camera))
    if points is not None:
        publishers[CLOUD_TOPIC].publish(points_message(header, points))
    publishers["depth/status"].publish(status_message(header, estimate.status, {}))


def wait_for_listeners(node: Node, publishers: dict[str, Any]) -> None:
    """Wait until each topic is heard. Raises BenchmarkError."""
    end_s = time.monotonic() + MATCH_DEADLINE_S
    while not all(publisher.get_subscription_count() for publisher in publishers.values()):
        if time.monotonic() > end_s:
            raise BenchmarkError("a publisher and its listener don't find each other; see endo-depth doctor")
        rclpy.spin_once(node, timeout_sec=0.05)


def ignore_message(message: Any) -> None:
    """What is published is not read."""
