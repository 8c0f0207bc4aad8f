"""What depth_node adds to its model: publish to receipt, by the steady clock, between separate processes.

Publishes images at a fixed rate to a depth_node process and receives depth, camera_info and (with --cloud) points.
Prints one JSON line: latency of the last of the wanted messages of each frame, answered and dropped frames.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import time
from collections import defaultdict
from typing import Any

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from std_msgs.msg import Header

from endo_depth_ros.cli.process_group import node_command
from endo_depth_ros.geometry.camera import pinhole_from_hfov
from endo_depth_ros.nodes.fastdds_profile import environment_with_profile
from endo_depth_ros.nodes.messages import image_message, rectified_camera_info_message

WARM_UP_FRAMES = 15
START_DEADLINE_S = 30.0


def measure(width: int, height: int, rate_hz: float, frames: int, cloud: bool) -> dict[str, Any]:
    """Run one depth_node process and return the figures."""
    command = node_command("depth_node", {"allow_relative": "true"})
    node = rclpy.create_node("node_latency")
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    images = node.create_publisher(Image, "image_raw", QoSProfile(depth=5))
    infos = node.create_publisher(CameraInfo, "camera_info", QoSProfile(depth=5))
    received: dict[int, dict[str, int]] = defaultdict(dict)

    def listen(message_type: type, topic: str) -> None:
        def note(message: Any) -> None:
            received[message.header.stamp.nanosec][topic] = time.monotonic_ns()

        node.create_subscription(message_type, topic, note, QoSProfile(depth=5))

    inside: dict[str, str] = {}

    def note_inside(message: Any) -> None:
        inside.update({pair.key: pair.value for status in message.status for pair in status.values})

    node.create_subscription(DiagnosticArray, "/diagnostics", note_inside, 10)
    topics = {"depth/image_rect": Image, "depth/camera_info": CameraInfo}
    if cloud:
        topics["depth/points"] = PointCloud2
    for topic, message_type in topics.items():
        listen(message_type, topic)
    process = subprocess.Popen(command)
    try:
        end_s = time.monotonic() + START_DEADLINE_S
        while images.get_subscription_count() == 0 or any(node.count_publishers(topic) == 0 for topic in topics):
            if time.monotonic() > end_s:
                raise RuntimeError("depth_node did not start")
            executor.spin_once(timeout_sec=0.05)
        sent = publish(executor, images, infos, picture(width, height), rate_hz, frames)
        end_s = time.monotonic() + 2
        while time.monotonic() < end_s:
            executor.spin_once(timeout_sec=0.05)
    finally:
        process.terminate()
        process.wait()
        node.destroy_node()
    return {
        **figures(sent, received, len(topics)),
        "sent": len(sent),
        "node_received": int(inside["received_frames"]),
        "node_dropped": int(inside["dropped_frames"]),
        "inside_node_p50_ms": float(inside["latency_p50_ms"]),
        "inside_node_p99_ms": float(inside["latency_p99_ms"]),
    }


def picture(width: int, height: int) -> np.ndarray[Any, Any]:
    """Tissue-coloured noise in a round field of view."""
    y, x = np.mgrid[:height, :width]
    inside = np.hypot(x - width / 2, y - height / 2) < 0.48 * height
    noise = np.random.default_rng(0).integers(-15, 16, (height, width, 3))
    return ((np.array([180, 110, 100]) + noise) * inside[..., None]).astype(np.uint8)


def publish(
    executor: Any, images: Any, infos: Any, image: np.ndarray[Any, Any], rate_hz: float, frames: int
) -> dict[int, int]:
    """Send the frames at their times; returns the steady time of each by its stamp's nanoseconds."""
    camera = pinhole_from_hfov(image.shape[1], image.shape[0], 70.0)
    sent: dict[int, int] = {}
    start_ns = time.monotonic_ns()
    for index in range(frames):
        header = Header(frame_id="scope")
        header.stamp.sec, header.stamp.nanosec = 1, index
        image_out, info_out = image_message(header, image, "rgb8"), rectified_camera_info_message(header, camera)
        due_ns = start_ns + round(index * 1e9 / rate_hz)
        while time.monotonic_ns() < due_ns:
            executor.spin_once(timeout_sec=max(0.0, (due_ns - time.monotonic_ns()) / 1e9))
        sent[index] = time.monotonic_ns()
        infos.publish(info_out)
        images.publish(image_out)
    return sent


def figures(sent: dict[int, int], received: dict[int, dict[str, int]], wanted: int) -> dict[str, Any]:
    """Latency percentiles and counts, the first frames left out."""
    counted = [index for index in sent if index >= WARM_UP_FRAMES]
    complete = [index for index in counted if len(received[index]) == wanted]
    latencies_ms = [(max(received[index].values()) - sent[index]) / 1e6 for index in complete]
    p50, p95, p99 = np.percentile(latencies_ms, (50, 95, 99))
    return {
        "p50_ms": round(float(p50), 2),
        "p95_ms": round(float(p95), 2),
        "p99_ms": round(float(p99), 2),
        "frames": len(counted),
        "answered": len(complete),
    }


def model_ms(runs: int = 100) -> float:
    """Median time of the bare model at the working size, milliseconds."""
    import torch

    from endo_depth_ros.depth.estimator import ImageBatch
    from endo_depth_ros.depth.models import create_estimator
    from endo_depth_ros.depth.settings import DepthSettings

    settings = DepthSettings()
    estimator = create_estimator(settings)
    shape = (1, settings.input_height, settings.input_width)
    everywhere = torch.ones(shape, dtype=torch.bool)
    batch = ImageBatch(torch.rand(1, 3, *shape[1:]), everywhere, everywhere, torch.eye(3)[None] * 200)
    times_ms = []
    for _ in range(runs):
        start_ns = time.perf_counter_ns()
        estimator.estimate(batch)
        times_ms.append((time.perf_counter_ns() - start_ns) / 1e6)
    return round(float(np.median(times_ms)), 2)


def main() -> None:
    """Measure as the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="640x512", help="WxH of the images (%(default)s)")
    parser.add_argument("--rate", type=float, default=30.0, help="Hz (%(default)s)")
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--cloud", action="store_true", help="subscribe to depth/points too")
    args = parser.parse_args()
    os.environ.update(environment_with_profile(os.environ))
    width, height = map(int, args.size.split("x"))
    rclpy.init()
    result = measure(width, height, args.rate, args.frames, args.cloud)
    rclpy.shutdown()
    print(json.dumps({"size": args.size, "rate_hz": args.rate, "cloud": args.cloud, **result, "model_ms": model_ms()}))


if __name__ == "__main__":
    main()
