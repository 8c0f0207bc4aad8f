"""Child processes that are started, watched and stopped together."""

import os
import sys
import time

import pytest

from endo_depth_ros.cli.process_group import ProcessError, ProcessGroup, node_command

DEADLINE_S = 20.0


def wait_until(condition):
    end_s = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end_s, "in vain"


def test_a_failure_is_told_with_the_end_of_its_log(tmp_path):
    with ProcessGroup(tmp_path, os.environ) as group:
        group.start("bad", [sys.executable, "-c", "print('out of cheese'); raise SystemExit(3)"])
        with pytest.raises(ProcessError, match=r"(?s)bad ended with exit code 3.*out of cheese"):
            wait_until(lambda: not group.running("bad"))


def test_leaving_the_group_ends_its_processes(tmp_path):
    waiting = (
        "import signal, sys; signal.signal(signal.SIGINT, lambda *_: sys.exit(0));"
        "print('up', flush=True); signal.pause()"
    )
    with ProcessGroup(tmp_path, os.environ) as group:
        group.start("waiting", [sys.executable, "-c", waiting])
        wait_until(lambda: "up" in group.tail("waiting"))
        assert group.running("waiting")
    assert not group.running("waiting")


def test_a_node_command_carries_parameters_and_remaps():
    command = node_command("depth_node", {"hfov_deg": 70.0}, {"image_raw": "/cam/image"})
    assert command[-5:] == ["--ros-args", "-p", "hfov_deg:=70.0", "-r", "image_raw:=/cam/image"]
