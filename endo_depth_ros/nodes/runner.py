"""What every executable does around its node: start, spin, stop, exit code."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any

import cv2
import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor

from endo_depth_ros.nodes.fastdds_profile import environment_with_profile
from endo_depth_ros.settings import SettingsError


class StartError(RuntimeError):
    """The node can't start; the text says why and what to do."""


def run(make_node: Callable[[], Any], args: list[str] | None = None) -> int:
    """Start rclpy, make the node, spin it until its `done` future or a signal, and return the exit code.

    make_node: returns a Node or LifecycleNode with an attribute `done`, an rclpy Future whose result is the exit code.
    """
    return run_together(lambda: [make_node()], args)


def run_together(make_nodes: Callable[[], Sequence[Any]], args: list[str] | None = None) -> int:
    """Like `run` for several nodes on one executor; the first one's `done` is the end of all.

    A single-threaded executor: Python's multi-threaded one delays and loses large messages.
    """
    # Read when the first node is made; started by hand or by launch, image-sized messages need it alike.
    os.environ.update(environment_with_profile(os.environ))
    # Its threads wait for one another where cores are busy: 12 ms from an image to its transform in navigator.
    cv2.setNumThreads(1)
    # rclpy's own handler ends the context on a signal and everything below watches that. Python's would raise
    # KeyboardInterrupt as well, wherever the code is by then: in an exception handler or a clean-up too.
    signal.signal(signal.SIGINT, lambda *_: None)
    try:
        rclpy.init(args=args)
    # Its exceptions differ by distribution and by which argument is bad.
    except Exception as error:
        print(f"error: bad --ros-args: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    nodes: Sequence[Any] = []
    try:
        nodes = make_nodes()
        executor = SingleThreadedExecutor()
        for node in nodes:
            executor.add_node(node)
        done = nodes[0].done
        done.add_done_callback(lambda _: executor.wake())
        # Not spin_until_future_complete: it leaves a callback at the future with every turn, for hours.
        while rclpy.ok() and not done.done():
            executor.spin_once()
        return int(done.result() or 0) if done.done() else 0
    except (SettingsError, StartError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except ExternalShutdownException:
        return 0
    except RuntimeError:
        # A signal during start-up shows as the failure of whatever rclpy call came next.
        if rclpy.ok():
            raise
        return 0
    finally:
        # The node is ending already; a second Ctrl-C must not kill it half-way, nor while the interpreter goes.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        # The signal's own thread may be shutting the context down at this very moment.
        with contextlib.suppress(RuntimeError):
            for node in nodes:
                node.destroy_node()
        with contextlib.suppress(RuntimeError):
            rclpy.try_shutdown()
