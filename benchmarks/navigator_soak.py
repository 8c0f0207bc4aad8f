"""How long navigator takes from an image to its transform on /tf, and how much memory, over a long time.

  python benchmarks/navigator_soak.py --seconds 1800 --rate 30
  python benchmarks/navigator_soak.py --input surgery.mp4 --hfov 90 --seconds 600
A camera in this process publishes rgb8 images of a rendered video (or of the input), forwards and backwards for ever;
navigator is a process of its own. A line a minute: images sent, transforms and statuses that came, latency from
publishing the image to receiving the transform of its stamp in ms, what navigator counts as dropped, how often each
state was said, its resident memory and its share of a core.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header
from tf2_msgs.msg import TFMessage

from endo_depth_ros.bags.factory import open_source
from endo_depth_ros.bags.source import DEFAULT_FRAME_ID, camera_of
from endo_depth_ros.benchmark.images import EncodedImage, back_and_forth, encode, resize
from endo_depth_ros.cli.process_group import node_command
from endo_depth_ros.nodes.frame_messages import status_values
from endo_depth_ros.nodes.messages import camera_info_message, image_message
from endo_depth_ros.nodes.quiet_domain import join_quiet_domain
from endo_depth_ros.process_tuning import tune_process
from endo_depth_ros.stamps import FIRST_STAMP_NS, stamp_ns_of
from endo_depth_ros.synthetic.sequence import SequenceSettings, render_sequence

WINDOW_S = 60.0
READY_S = 120.0
LOST_S = 5.0  # nothing comes later than that


def rendered(family: str, seed: int, size: tuple[int, int], rate_hz: float, count: int) -> Iterator[EncodedImage]:
    """A rendered video with instruments and obstructions."""
    settings = SequenceSettings(
        seed=seed, family=family, frames=count, rate_hz=rate_hz, width=size[0], height=size[1], varied=True
    )
    for each in render_sequence(settings):
        yield encode(each.frame.image, each.frame.camera, as_jpeg=False)


def recorded(path: Path, hfov_deg: float, size: tuple[int, int], count: int) -> Iterator[EncodedImage]:
    """The first frames of a video, folder or bag. Raises SourceError."""
    for frame in islice(open_source(path), count):
        if frame.image is not None:
            camera = camera_of(frame, frame.image, hfov_deg)
            assert camera is not None
            yield encode(*resize(frame.image, camera, *size), as_jpeg=False)


class Soak:
    """The camera, and who listens to the transforms."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        """process: navigator."""
        self._process = process
        self._node = rclpy.create_node("soak")
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self._node)
        self._images = self._node.create_publisher(Image, "image_raw", QoSProfile(depth=5))
        self._infos = self._node.create_publisher(CameraInfo, "camera_info", QoSProfile(depth=5))
        self._node.create_subscription(TFMessage, "/tf", self._note_transforms, QoSProfile(depth=100))
        self._node.create_subscription(DiagnosticArray, "pose/status", self._note_status, QoSProfile(depth=100))
        self._sent_ns: dict[int, int] = {}
        self._clear()

    def _clear(self) -> None:
        self._sent = 0
        self._latencies_ms: list[float] = []
        self._states: Counter[str] = Counter()
        self._dropped = "0"
        self._began_s, self._cpu_s = time.monotonic(), self._cpu()

    def run(self, images: list[EncodedImage], rate_hz: float, seconds: float) -> None:
        """Send and print until the time is over. Raises RuntimeError when navigator ends or does not come."""
        end_s = time.monotonic() + READY_S
        while not (self._images.get_subscription_count() and self._node.count_publishers("pose/status")):
            self._executor.spin_once(timeout_sec=0.05)
            if self._process.poll() is not None or time.monotonic() > end_s:
                raise RuntimeError("navigator doesn't listen; run it by itself to see why")
        print("| min | sent | transforms | p50 | p95 | p99 | largest | dropped | states | MB | cores |")
        print("|---|---|---|---|---|---|---|---|---|---|---|", flush=True)
        self._clear()
        start_s = time.monotonic()
        for index, image in enumerate(islice(back_and_forth(images), round(rate_hz * seconds))):
            header = Header(frame_id=DEFAULT_FRAME_ID)
            stamp_ns = FIRST_STAMP_NS + round(index * 1e9 / rate_hz)
            header.stamp.sec, header.stamp.nanosec = divmod(stamp_ns, 10**9)
            message, info = image_message(header, image.decode(), "rgb8"), camera_info_message(header, image.camera)
            while (left_s := start_s + index / rate_hz - time.monotonic()) > 0:
                self._executor.spin_once(timeout_sec=left_s)
            self._sent_ns[stamp_ns] = time.monotonic_ns()
            self._sent += 1
            self._infos.publish(info)
            self._images.publish(message)
            if time.monotonic() - self._began_s > WINDOW_S:
                self._tell((time.monotonic() - start_s) / 60)
                if self._process.poll() is not None:
                    raise RuntimeError("navigator ended; see above")

    def _note_transforms(self, message: TFMessage) -> None:
        now_ns = time.monotonic_ns()
        sent_ns = self._sent_ns.pop(stamp_ns_of(message.transforms[0].header), None)
        if sent_ns is not None:
            self._latencies_ms.append((now_ns - sent_ns) / 1e6)

    def _note_status(self, message: DiagnosticArray) -> None:
        values = status_values(message)
        self._states[values["state"]] += 1
        self._dropped = values["dropped_frames"]

    def _cpu(self) -> float:
        """Seconds of processor time of navigator."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _tell(self, minutes: float) -> None:
        lines = Path(f"/proc/{self._process.pid}/status").read_text().splitlines()
        resident = next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024
        p50, p95, p99, largest = np.percentile(self._latencies_ms or [np.nan], [50, 95, 99, 100])
        states = ", ".join(f"{name} {count}" for name, count in self._states.most_common())
        cores = (self._cpu() - self._cpu_s) / (time.monotonic() - self._began_s)
        print(
            f"| {minutes:.0f} | {self._sent} | {len(self._latencies_ms)} | {p50:.1f} | {p95:.1f} | {p99:.1f} | "
            f"{largest:.0f} | {self._dropped} | {states} | {resident:.0f} | {cores:.2f} |",
            flush=True,
        )
        late_ns = time.monotonic_ns() - round(LOST_S * 1e9)
        self._sent_ns = {stamp_ns: sent_ns for stamp_ns, sent_ns in self._sent_ns.items() if sent_ns > late_ns}
        self._clear()


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=1800.0)
    parser.add_argument("--rate", type=float, default=30.0, help="images a second (%(default)s)")
    parser.add_argument("--size", default="640x512", help="of the images (%(default)s)")
    parser.add_argument("--images", type=int, default=240, help="different ones (%(default)s)")
    parser.add_argument("--family", default="colon", help="of the rendered video (%(default)s)")
    parser.add_argument("--seed", type=int, default=1_000_100)
    parser.add_argument("--input", type=Path, help="video, folder or bag instead of a rendered one")
    parser.add_argument("--hfov", type=float, default=70.0, help="of an input without calibration (%(default)s)")
    args = parser.parse_args()
    tune_process()  # keeps the memory of images, as drivers should
    size = tuple(int(side) for side in args.size.split("x"))
    if args.input is None:
        images = list(rendered(args.family, args.seed, size, args.rate, args.images))
    else:
        images = list(recorded(args.input, args.hfov, size, args.images))
    join_quiet_domain()
    with subprocess.Popen(node_command("navigator", {})) as process:
        try:
            Soak(process).run(images, args.rate, args.seconds)
        finally:
            process.terminate()
            rclpy.try_shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
