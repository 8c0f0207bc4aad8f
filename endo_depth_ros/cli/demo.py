"""endo-depth demo: a video through the real nodes over DDS, and a look at what they say about it."""

from __future__ import annotations

import argparse
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node
from rclpy.qos import QoSProfile
from tqdm import tqdm

from endo_depth_ros.bags.bag_reader import MCAP, is_bag, open_bag
from endo_depth_ros.bags.camera_yaml import read_camera
from endo_depth_ros.bags.factory import open_source
from endo_depth_ros.bags.frames_to_bag import FrameBagOptions, write_frames
from endo_depth_ros.bags.readable_frames import readable_frames
from endo_depth_ros.bags.rosbag_source import COMPRESSED, camera_info_topic, choose_image_topic
from endo_depth_ros.bags.topics import COMPRESSED_SUFFIX
from endo_depth_ros.cli.arguments import count, degrees
from endo_depth_ros.cli.demo_path import PATH_PICTURE, TRAJECTORY
from endo_depth_ros.cli.demo_report import CONTACT_SHEET, PREVIEW, write_report
from endo_depth_ros.cli.process_group import ProcessError, ProcessGroup, node_command
from endo_depth_ros.nodes.fastdds_profile import environment_with_profile
from endo_depth_ros.nodes.quiet_domain import free_domain
from endo_depth_ros.runs.plots import require_matplotlib
from endo_depth_ros.runs.run_folder import FRAMES, METRICS, PLOTS, REPORT
from endo_depth_ros.settings import make
from endo_depth_ros.synthetic.export import write_bag
from endo_depth_ros.synthetic.sequence import SequenceSettings, render_sequence

INPUT_BAG, OUTPUT_BAG, LOGS = "input.mcap", "output.mcap", "logs"
LEFT_BY_A_DEMO = {
    INPUT_BAG, f".input.partial{MCAP}", OUTPUT_BAG, LOGS, METRICS, FRAMES, REPORT, PLOTS, CONTACT_SHEET, PREVIEW,
    TRAJECTORY, PATH_PICTURE,
}  # fmt: skip
WIDTH, HEIGHT = 480, 384
ASSUMED_HFOV_DEG = 70.0
RECORDED_TF = ("/tf", "/tf_static")
RECORDED = ",".join(("/depth/.*", "/rgb/image_rect", "/diagnostics", *RECORDED_TF))
STATUS_TOPIC = "/depth/status"
QUEUE_FRAMES = 500
START_DEADLINE_S = 60.0
SILENCE_DEADLINE_S = 15.0
# The recorder takes what this process has seen a moment later; and DDS loses messages while it matches endpoints.
RECORDER_LAG_S = 0.5
MATCHING_S = 0.5


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--input", type=Path, metavar="PATH", help="your own video, image folder or bag")
    lens = parser.add_mutually_exclusive_group()
    lens.add_argument("--camera", type=Path, metavar="YAML", help="calibration of your own video")
    lens.add_argument("--hfov", type=degrees, metavar="DEG", help=f"its assumed field of view ({ASSUMED_HFOV_DEG:.0f})")
    parser.add_argument(
        "--output", type=Path, default=Path("demo"), metavar="DIR", help="where results go (%(default)s)"
    )
    parser.add_argument("--frames", type=count, default=60, metavar="N", help="frames to render (%(default)s)")
    parser.add_argument(
        "--max-frames", type=count, default=300, metavar="N", help="most frames of a video (%(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the rendered scene (%(default)s)")


def run(args: argparse.Namespace) -> int:
    """Prepare the input, run the nodes on it, write the report; returns the exit code."""
    started_s = time.monotonic()
    require_matplotlib()
    check_input(args)
    folder = prepare_folder(args.output)
    bag = prepare_input(args, folder)
    print("Running replay_node, depth_node and record_node over DDS ...")
    run_nodes(bag, folder, args.hfov or ASSUMED_HFOV_DEG)
    print(write_report(folder, bag, folder / OUTPUT_BAG))
    print(f"Done in {time.monotonic() - started_s:.0f} s.")
    return 0


def check_input(args: argparse.Namespace) -> None:
    """Raise ValueError, before anything is removed, for an input that the demo can't use."""
    if args.input is None:
        return
    if args.input.resolve().is_relative_to(args.output.resolve()):
        raise ValueError(f"{args.input} lies in {args.output}, which is made anew; choose another --output")
    if args.camera is not None and args.input.exists() and is_bag(args.input):
        raise ValueError("--camera is for videos and folders; a bag brings its camera_info")
    if args.camera is not None:
        read_camera(args.camera)
    if not is_bag(args.input):
        open_source(args.input)


def prepare_folder(folder: Path) -> Path:
    """An empty folder; an earlier demo in it goes. Raises ValueError for a folder that holds anything else."""
    present = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    strangers = sorted(present - LEFT_BY_A_DEMO)
    if strangers:
        raise ValueError(f"{folder} holds {strangers[0]}, which is of no demo; choose another folder with --output")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / LOGS).mkdir()
    return folder


def prepare_input(args: argparse.Namespace, folder: Path) -> Path:
    """The bag to replay: rendered, made from the user's video or folder, or the user's own."""
    bag = folder / INPUT_BAG
    if args.input is None:
        wanted = make(SequenceSettings, {"seed": args.seed, "frames": args.frames, "width": WIDTH, "height": HEIGHT})
        print(f"Rendering {args.frames} frames of a colon with known depth and poses (seed {args.seed}) ...")
        rendered = render_sequence(wanted)
        write_bag(tqdm(rendered, total=args.frames, unit="frame", disable=None), bag)
        return bag
    if is_bag(args.input):
        return Path(args.input)
    camera = None if args.camera is None else read_camera(args.camera)
    hfov_deg = None if camera else args.hfov or ASSUMED_HFOV_DEG
    if args.camera is None and args.hfov is None:
        print(f"No calibration was given: assuming {ASSUMED_HFOV_DEG:.0f} degrees horizontally (HFOV=, CAMERA=).")
    frames = readable_frames(open_source(args.input, camera), args.max_frames)
    write_frames(frames, bag, FrameBagOptions(hfov_deg=hfov_deg, jpeg=True))
    return bag


def run_nodes(bag: Path, folder: Path, hfov_deg: float) -> None:
    """Replay the bag through depth_node and record what comes out. Raises ProcessError when a node fails."""
    with open_bag(bag) as opened:
        image_topic = choose_image_topic(opened, "")
        transforms = [topic.name for topic in opened.topics if topic.name in RECORDED_TF and topic.message_count]
    compressed = image_topic.type == COMPRESSED
    base = image_topic.name.removesuffix(COMPRESSED_SUFFIX)
    environment = environment_with_profile({**os.environ, "ROS_DOMAIN_ID": str(free_domain())})
    depth_parameters = {
        "allow_relative": "true",
        "processing": "every",
        "queue_size": QUEUE_FRAMES,
        "image_transport": "compressed" if compressed else "raw",
        "hfov_deg": hfov_deg,
    }
    remaps = {"image_raw": base, "camera_info": camera_info_topic(image_topic.name)}
    replay_parameters = {
        "bag": bag,
        "wait_for_subscribers": ",".join([image_topic.name, *transforms]),
        "acknowledge_timeout_s": 10.0,
    }
    with ProcessGroup(folder / LOGS, environment) as nodes, watcher(environment) as watch:
        nodes.start("depth_node", node_command("depth_node", depth_parameters, remaps))
        nodes.start("record_node", node_command("record_node", {"output": folder / OUTPUT_BAG, "topics": RECORDED}))
        watch.wait_for_recorder(nodes)
        nodes.start("replay_node", node_command("replay_node", replay_parameters))
        watch.follow(nodes, image_topic.message_count)
        watch.spin_for(RECORDER_LAG_S)
        nodes.stop("record_node")


class Watcher:
    """Sees from outside, as any subscriber would, how far depth_node has come."""

    def __init__(self, node: Node) -> None:
        """node: of this process, spun here."""
        self._node = node
        self._stamps: set[tuple[int, int]] = set()
        node.create_subscription(DiagnosticArray, STATUS_TOPIC, self._note, QoSProfile(depth=1000))

    def wait_for_recorder(self, nodes: ProcessGroup) -> None:
        """Wait until depth_node publishes and record_node listens. Raises ProcessError."""
        deadline_s = time.monotonic() + START_DEADLINE_S
        topics = ("/depth/image_rect", "/depth/points", STATUS_TOPIC)
        while not all(self._node.count_subscribers(t) > (t == STATUS_TOPIC) for t in topics):
            for name in ("depth_node", "record_node"):
                if not nodes.running(name):
                    raise ProcessError(f"{name} ended too early; {nodes.log(name)} ends:\n{nodes.tail(name)}")
            if time.monotonic() > deadline_s:
                raise ProcessError(
                    f"the nodes did not start within {START_DEADLINE_S:.0f} s; see {nodes.log('depth_node')}"
                )
            rclpy.spin_once(self._node, timeout_sec=0.1)
        self.spin_for(MATCHING_S)

    def follow(self, nodes: ProcessGroup, frames: int) -> None:
        """Wait until every frame is answered, with a progress bar; give up after a long silence."""
        with tqdm(total=frames, unit="frame", disable=None) as bar:
            last_s = time.monotonic()
            while len(self._stamps) < frames:
                before = len(self._stamps)
                rclpy.spin_once(self._node, timeout_sec=0.1)
                bar.update(len(self._stamps) - before)
                if len(self._stamps) > before or nodes.running("replay_node"):
                    last_s = time.monotonic()
                nodes.running("depth_node")
                if time.monotonic() - last_s > SILENCE_DEADLINE_S:
                    missing = frames - len(self._stamps)
                    print(f"{missing} of {frames} frames were not answered; see {nodes.log('depth_node')}")
                    return

    def spin_for(self, duration_s: float) -> None:
        """Listen on for a while."""
        end_s = time.monotonic() + duration_s
        while (left_s := end_s - time.monotonic()) > 0:
            rclpy.spin_once(self._node, timeout_sec=left_s)

    def _note(self, message: DiagnosticArray) -> None:
        self._stamps.add((message.header.stamp.sec, message.header.stamp.nanosec))


@contextmanager
def watcher(environment: dict[str, str]) -> Iterator[Watcher]:
    """A watcher on the ROS domain of the environment."""
    rclpy.init(domain_id=int(environment["ROS_DOMAIN_ID"]))
    node = rclpy.create_node("demo_watcher")
    try:
        yield Watcher(node)
    finally:
        node.destroy_node()
        rclpy.try_shutdown()
