"""endo-depth replay, as a user starts it."""

import signal
import subprocess
import sys

import pytest
from sensor_msgs.msg import CameraInfo, Image
from synthetic_media import START_NS, calibrated_camera, write_bag

pytestmark = [pytest.mark.ros, pytest.mark.end_to_end]
COMMAND = """
import argparse, sys
from endo_depth_ros.cli import replay
parser = argparse.ArgumentParser()
replay.configure(parser)
sys.exit(replay.run(parser.parse_args()))
"""


def start(*arguments):
    return subprocess.Popen([sys.executable, "-c", COMMAND, *map(str, arguments)], stderr=subprocess.PIPE, text=True)


def test_the_options_reach_the_node_and_a_signal_ends_it(graph, tmp_path):
    folder = tmp_path / "it's a bag"
    folder.mkdir()
    bag = write_bag(folder / "bag.mcap", 10, calibrated_camera())
    images, infos = graph.collect(Image, "/image_raw"), graph.collect(CameraInfo, "/camera_info")
    process = start(bag, "--loop", "--rate", 5, "--start", 0.2, "--topics", "/image_raw")
    try:
        graph.wait_for(lambda: len(images) > 10, "images of three rounds")
        process.send_signal(signal.SIGINT)
        assert process.wait(20.0) == 0
    finally:
        process.kill()
    assert infos == []
    assert min(m.header.stamp.sec * 10**9 + m.header.stamp.nanosec for m in images) > START_NS


def test_a_missing_bag_is_one_sentence(tmp_path):
    process = start(tmp_path / "none.mcap")
    _, error = process.communicate(timeout=30.0)
    assert process.returncode == 1
    assert error.splitlines()[-1] == f"error: {tmp_path / 'none.mcap'}: there is no such bag; check the path"
