"""How the executables start and end."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from rclpy.node import Node
from rclpy.task import Future

from endo_depth_ros.cli.process_group import node_command

pytestmark = [pytest.mark.ros, pytest.mark.end_to_end]
DEADLINE_S = 60.0


def start(parameters):
    return subprocess.Popen(
        node_command("depth_node", parameters), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


@pytest.mark.parametrize("signals", [[signal.SIGINT], [signal.SIGTERM], [signal.SIGINT, signal.SIGINT]])
def test_a_signal_ends_a_working_node_quietly(signals):
    node = start({"device": "cpu"})
    first = node.stdout.readline()
    assert "model endo_depth_small on cpu" in first
    for number in signals:
        node.send_signal(number)
    rest = node.communicate(timeout=DEADLINE_S)[0]
    assert node.returncode == 0, rest
    assert "Traceback" not in rest


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        ({"model": "dream"}, "error: there is no model 'dream'; choose one of: endo_depth_small, shading"),
        ({"input_width": 1}, "error: parameter input_width must be at least 32 and at most 4096"),
    ],
)
def test_what_can_not_start_says_why_and_exits_with_1(parameters, complaint):
    node = start(parameters)
    output = node.communicate(timeout=DEADLINE_S)[0]
    assert node.returncode == 1
    assert complaint in output
    assert "Traceback" not in output


def test_bad_ros_arguments_are_one_sentence(tmp_path):
    command = [*node_command("depth_node", {}), "--params-file", str(tmp_path / "nowhere.yaml")]
    run = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S)
    assert run.returncode == 1
    assert "nowhere.yaml" in run.stderr
    assert "Traceback" not in run.stderr


SLOW_IMPORT = """
import signal, sys
from endo_depth_ros.nodes import executables

class SlowFinder:
    def find_spec(self, name, path=None, target=None):
        if name == "endo_depth_ros.nodes.slow_node":
            print("importing", flush=True)
            while True:
                signal.pause()

sys.meta_path.insert(0, SlowFinder())
executables.start("slow_node")
"""


def test_a_signal_during_the_imports_ends_a_node_quietly():
    node = subprocess.Popen(
        [sys.executable, "-c", SLOW_IMPORT], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert node.stdout.readline() == "importing\n"
    node.send_signal(signal.SIGINT)
    output = node.communicate(timeout=DEADLINE_S)[0]
    assert node.returncode == 0, output
    assert "Traceback" not in output


class CountingFuture(Future):
    """Counts the callbacks that are left with it."""

    left = 0

    def add_done_callback(self, callback):
        self.left += 1
        super().add_done_callback(callback)


class TickingNode(Node):
    """Done after many turns of the executor."""

    def __init__(self):
        super().__init__("ticking", use_global_arguments=False)
        self.done, self.ticks = CountingFuture(), 0
        self.create_timer(0.001, self.tick)

    def tick(self):
        self.ticks += 1
        if self.ticks == 50:
            self.done.set_result(3)


def test_spinning_has_one_opencv_thread_ends_with_the_nodes_exit_code_and_leaves_nothing_behind_with_each_turn():
    command = [sys.executable, "-c", SPIN]
    spun = subprocess.run(command, cwd=Path(__file__).parent, timeout=DEADLINE_S, capture_output=True, text=True)
    assert spun.stdout == "1 3 1\n", spun.stderr


SPIN = """
import cv2
from endo_depth_ros.nodes.runner import run
from test_runner import TickingNode
nodes = []
def make():
    nodes.append(TickingNode())
    return nodes[0]
code = run(make)
print(cv2.getNumThreads(), code, nodes[0].done.left)
"""
