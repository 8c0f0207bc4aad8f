"""The thread that does a node's work while its executor answers parameters and services."""

from __future__ import annotations

import threading
from collections.abc import Callable

from rclpy.node import Node
from rclpy.task import Future

STOP_DEADLINE_S = 5.0


class Worker:
    """Runs `work` until it returns the exit code, which becomes the result of `done`."""

    def __init__(self, node: Node, work: Callable[[threading.Event], int], done: Future) -> None:
        """work: takes the event that asks it to stop; raises a ValueError or RuntimeError that says what went wrong."""
        self._node, self._work, self._done = node, work, done
        self.stop_event = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"{node.get_name()}_worker", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the work to end and wait for it."""
        self.stop_event.set()
        self.join(STOP_DEADLINE_S)

    def join(self, deadline_s: float) -> None:
        """Wait until the work has ended by itself, at most deadline_s."""
        if self._thread.is_alive():
            self._thread.join(timeout=deadline_s)

    def _run(self) -> None:
        code = 1
        try:
            code = self._work(self.stop_event)
        except (ValueError, RuntimeError) as error:
            # A publisher whose context was shut down by a signal raises too; that is no failure.
            if not self.stop_event.is_set() and self._node.context.ok():
                self._node.get_logger().error(str(error))
        finally:
            if not self._done.done():
                self._done.set_result(code)
