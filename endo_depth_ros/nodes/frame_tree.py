"""The tree of frames as others publish it: transforms, and who is whose parent."""

from __future__ import annotations

import threading
from collections.abc import Callable

from geometry_msgs.msg import TransformStamped
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.time import Time
from tf2_ros import Buffer, TransformException, TransformListener

from endo_depth_ros.geometry.transforms import Transform, pose_matrix


class FrameTreeError(RuntimeError):
    """A transform can't be had; the text says which and what to do."""


class FrameTree(Buffer):
    """A tf2 buffer that also remembers every parent that a frame was ever given."""

    def __init__(self, node: Node) -> None:
        """Listen on /tf and /tf_static with the node's executor."""
        super().__init__(node=node)
        self._node = node
        self._parents: dict[str, dict[str, bool]] = {}  # by child: each parent, and whether it is static
        self._parents_lock = threading.Lock()
        # Called, in the executor's thread, after each transform that changes with time.
        self.listeners: list[Callable[[], None]] = []
        self._listener = TransformListener(self, node)

    def close(self) -> None:
        """Stop listening."""
        self._listener.unregister()

    def set_transform(self, transform: TransformStamped, authority: str) -> None:
        """Take in a transform that changes with time."""
        self._note(transform, is_static=False)
        super().set_transform(transform, authority)
        for listener in self.listeners:
            listener()

    def set_transform_static(self, transform: TransformStamped, authority: str) -> None:
        """Take in a transform that holds at all times."""
        self._note(transform, is_static=True)
        super().set_transform_static(transform, authority)

    def other_parent(self, child: str, parent: str) -> str:
        """A parent that the child was given besides this one, or ''."""
        with self._parents_lock:
            return next((name for name in self._parents.get(child, {}) if name != parent), "")

    def top_of_static(self, frame: str) -> str:
        """The frame that static transforms lead up to from here: the rigid body that this frame is part of."""
        with self._parents_lock:
            seen = {frame}
            while True:
                static = [name for name, is_static in self._parents.get(frame, {}).items() if is_static]
                if not static or static[0] in seen:
                    return frame
                frame = static[0]
                seen.add(frame)

    def look_up(self, target: str, source: str, stamp_ns: int, wait_s: float) -> Transform:
        """T_target_source at a time. Raises FrameTreeError when it isn't there within wait_s."""
        try:
            message = self.lookup_transform(
                target, source, Time(nanoseconds=stamp_ns), Duration(nanoseconds=round(wait_s * 1e9))
            )
        except TransformException as error:
            raise FrameTreeError(
                f"no transform from {source} to {target} within {wait_s} s ({' '.join(str(error).split())}); publish "
                "it or correct the frame's name"
            ) from error
        move, turn = message.transform.translation, message.transform.rotation
        return pose_matrix([move.x, move.y, move.z], [turn.x, turn.y, turn.z, turn.w])

    def _note(self, transform: TransformStamped, is_static: bool) -> None:
        child, parent = (name.lstrip("/") for name in (transform.child_frame_id, transform.header.frame_id))
        with self._parents_lock:
            self._parents.setdefault(child, {})[parent] = is_static
