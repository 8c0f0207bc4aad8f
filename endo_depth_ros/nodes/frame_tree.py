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
from endo_depth_ros.stamps import NANOSECONDS, stamp_ns_of

# What tf2 keeps of the past, and so many transforms older than that are a clock that jumped, not late messages.
KEPT_NS = 10 * NANOSECONDS
PATIENCE = 5


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
        self._clocks_lock = threading.Lock()
        self._newest_ns: dict[str, int] = {}  # by child: the stamp of its newest transform
        self._stale: dict[str, int] = {}  # by child: transforms in a row that tf2 throws away as too old
        # Called, in the executor's thread, after each transform that changes with time.
        self.listeners: list[Callable[[], None]] = []
        # Called, in the executor's thread, with a child whose clock jumped back; what was known of all times is gone.
        self.rewound: list[Callable[[str], None]] = []
        self._listener = TransformListener(self, node)

    def close(self) -> None:
        """Stop listening."""
        self._listener.unregister()

    def set_transform(self, transform: TransformStamped, authority: str) -> None:
        """Take in a transform that changes with time."""
        self._note(transform, is_static=False)
        self._follow_clock(transform.child_frame_id.lstrip("/"), stamp_ns_of(transform.header))
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

    def clear(self) -> None:
        """Forget all transforms that change with time."""
        with self._clocks_lock:
            self._newest_ns.clear()
            self._stale.clear()
        super().clear()

    def is_above(self, frame: str, other: str) -> bool:
        """Whether `frame` is `other` or one of its ancestors, by whatever parents were ever given."""
        with self._parents_lock:
            seen, waiting = set(), [other]
            while waiting:
                name = waiting.pop()
                if name not in seen:
                    seen.add(name)
                    waiting += self._parents.get(name, {})
        return frame in seen

    def _follow_clock(self, child: str, stamp_ns: int) -> None:
        """Begin anew where a child's stamps stay older than what tf2 keeps: one that was too late stops all others."""
        with self._clocks_lock:
            newest_ns = self._newest_ns.get(child, stamp_ns)
            stale = self._stale.get(child, 0) + 1 if stamp_ns < newest_ns - KEPT_NS else 0
            self._stale[child], self._newest_ns[child] = stale, max(newest_ns, stamp_ns)
        if stale < PATIENCE:
            return
        self.clear()
        with self._clocks_lock:
            self._newest_ns[child] = stamp_ns
        for listener in self.rewound:
            listener(child)

    def _note(self, transform: TransformStamped, is_static: bool) -> None:
        child, parent = (name.lstrip("/") for name in (transform.child_frame_id, transform.header.frame_id))
        with self._parents_lock:
            self._parents.setdefault(child, {})[parent] = is_static
