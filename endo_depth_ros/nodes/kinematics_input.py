"""A robot's poses from /tf."""

from __future__ import annotations

import time
from collections.abc import Callable

from tf2_ros import TransformException

from endo_depth_ros.geometry.transforms import Transform
from endo_depth_ros.nodes.frame_tree import FrameTree, FrameTreeError
from endo_depth_ros.stamps import NANOSECONDS


class KinematicsInput:
    """Takes each new pose of the tool in the robot's base, at the time that all joints between them are known for."""

    def __init__(self, tree: FrameTree, base: str, tool: str, take: Callable[[int, Transform], object]) -> None:
        """take: gets stamps by the robot's clock, rising, and T_base_tool, in the executor's thread."""
        self._tree, self._base, self._tool, self._take = tree, base, tool, take
        self._last_ns = 0
        self._last_received_ns = time.monotonic_ns()
        self.samples = 0
        tree.listeners.append(self._look)

    def restart(self) -> None:
        """Take poses of earlier times again, after a jump back in time."""
        self._last_ns = 0

    def complaint(self, patience_s: float) -> str:
        """That no pose has come for longer than this, or ''."""
        silent_s = (time.monotonic_ns() - self._last_received_ns) / NANOSECONDS
        if silent_s < patience_s:
            return ""
        return (
            f"no new transform from {self._tool} to {self._base}; check the robot's driver and the names of the frames"
        )

    def _look(self) -> None:
        try:
            stamp_ns = int(self._tree.get_latest_common_time(self._base, self._tool).nanoseconds)
            if stamp_ns <= self._last_ns:
                return
            T_base_tool = self._tree.look_up(self._base, self._tool, stamp_ns, 0.0)
        except (TransformException, FrameTreeError):
            return  # part of the chain is not there yet
        self._last_ns, self._last_received_ns = stamp_ns, time.monotonic_ns()
        self.samples += 1
        self._take(stamp_ns, T_base_tool)
