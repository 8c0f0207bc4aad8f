"""How many images record_node loses: a publisher and a recorder as processes, 30 Hz 1280x1024 rgb8 by default.

Run it with the Fast DDS profile as a launched node has it:
  FASTRTPS_DEFAULT_PROFILES_FILE=config/fastdds.xml python benchmarks/record_loss.py --seconds 30
Prints published, recorded and dropped images, the size of the file and the processor time of the recorder.
"""

from __future__ import annotations

import argparse
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import rclpy
from rclpy.qos import QoSProfile
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from endo_depth_ros.bags.bag_reader import open_bag
from endo_depth_ros.nodes.messages import image_message
from endo_depth_ros.nodes.subscribers import SETTLE_S

RECORDER = "import sys; from endo_depth_ros.nodes.record_node import main; sys.exit(main())"
TOPIC = "/image_raw"


def publish(width: int, height: int, rate_hz: float, seconds: float) -> tuple[int, float]:
    """Publish numbered images on the grid of the rate; returns how many and the largest delay of one in ms."""
    rclpy.init()
    node = rclpy.create_node("publisher")
    publisher = node.create_publisher(Image, TOPIC, QoSProfile(depth=5))
    while publisher.get_subscription_count() == 0:
        time.sleep(0.01)
    time.sleep(SETTLE_S)
    pixels = np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)
    count, late_s, start_s = round(rate_hz * seconds), 0.0, time.monotonic()
    for index in range(count):
        due_s = start_s + index / rate_hz
        time.sleep(max(due_s - time.monotonic(), 0.0))
        late_s = max(late_s, time.monotonic() - due_s)
        pixels[0, 0, 0] = index % 256
        publisher.publish(image_message(Header(frame_id=str(index)), pixels, "rgb8"))
    time.sleep(1.0)
    rclpy.shutdown()
    return count, 1000 * late_s


def main() -> int:
    """Measure and print; returns 0 when nothing was lost."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--rate", type=float, default=30.0, help="images a second (%(default)s)")
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--height", type=int, default=1024)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "out.mcap"
        arguments = ["--ros-args", "-p", f"output:={output}", "-p", f"topics:={TOPIC}"]
        recorder = subprocess.Popen([sys.executable, "-c", RECORDER, *arguments])
        published, late_ms = publish(args.width, args.height, args.rate, args.seconds)
        recorder.send_signal(signal.SIGINT)
        recorder.wait()
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        with open_bag(output) as bag:
            recorded = bag.message_count
        size_mb = output.stat().st_size / 1e6
    print(f"published {published} (latest by {late_ms:.1f} ms), recorded {recorded}, lost {published - recorded}")
    print(f"{size_mb:.0f} MB, recorder used {used.ru_utime + used.ru_stime:.1f} s of processor time")
    return 0 if recorded == published else 1


if __name__ == "__main__":
    sys.exit(main())
