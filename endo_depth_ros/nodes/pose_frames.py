"""Which frames pose_node joins, and whether it may: no frame ever gets a second parent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from endo_depth_ros.geometry.transforms import Transform, invert_transform
from endo_depth_ros.nodes.frame_tree import FrameTree, FrameTreeError
from endo_depth_ros.nodes.pose_settings import PoseNodeSettings

# What drivers append to a camera's name for its optical frame, longest first.
OPTICAL_ENDINGS = ("_optical_frame", "_optical", "_frame")


@dataclass(frozen=True)
class FrameNames:
    """camera: of the images. base: what odom is the parent of. odom and map ('' for none): above it."""

    camera: str
    base: str
    odom: str
    map: str


class PoseFrames:
    """Names of frames for the images of one camera after another, and the tree that they become part of."""

    def __init__(self, tree: FrameTree, settings: PoseNodeSettings) -> None:
        self._tree, self._settings = tree, settings
        self._names: FrameNames | None = None
        self._is_missing = False

    def names(self, camera: str) -> FrameNames:
        """The frames for images of this frame_id; once the tree has been looked at they stay."""
        if self._names is None or self._names.camera != camera:
            s = self._settings
            base = s.base_frame or (camera if s.invert_tf else self._tree.top_of_static(camera))
            self._names = FrameNames(camera, base, s.odom_frame or f"{camera_name(camera)}_odom", s.map_frame)
        return self._names

    def locate_base(self, names: FrameNames, stamp_ns: int, may_wait: bool) -> Transform:
        """Where the base is in the camera's frame, [4, 4]. Waits only if the last one was there.

        Raises FrameTreeError.
        """
        if names.base == names.camera:
            return np.eye(4)
        wait_s = self._settings.tf_wait_s if may_wait and not self._is_missing else 0.0
        self._is_missing = True
        T_camera_base = self._tree.look_up(names.camera, names.base, stamp_ns, wait_s)
        self._is_missing = False
        return T_camera_base

    def edges(self, names: FrameNames, T_odom_base: Transform, T_map_odom: Transform) -> list[Edge]:
        """The transforms to publish. Raises FrameTreeError where one would make a loop or a second parent."""
        self._check_names(names)
        edges = [Edge(names.odom, names.base, T_odom_base)]
        if names.map:
            edges.insert(0, Edge(names.map, names.odom, T_map_odom))
        if self._settings.invert_tf:
            edges = [edge.inverted() for edge in edges]
        for edge in edges:
            if self._tree.is_above(edge.child, edge.parent):
                raise FrameTreeError(
                    f"{edge.parent} hangs under {edge.child} already, so a transform between them would close a loop; "
                    "set base_frame, odom_frame or map_frame to another, invert_tf, or publish_tf to false"
                )
            other = self._tree.other_parent(edge.child, edge.parent)
            if other:
                raise FrameTreeError(
                    f"{edge.child} has the parent {other} already, so {edge.parent} is not published as another; set "
                    "invert_tf, another base_frame, or publish_tf to false"
                )
        return edges

    def _check_names(self, names: FrameNames) -> None:
        """Raise FrameTreeError for names that make no tree."""
        if not names.camera:
            raise FrameTreeError("the images' frame_id is empty; have the camera's driver name its optical frame")
        chain = [name for name in (names.map, names.odom, names.base) if name]
        if len(set(chain)) < len(chain):
            raise FrameTreeError(
                f"map, odom and base would be {', '.join(chain)}, one frame twice; set map_frame, odom_frame or "
                "base_frame to another"
            )


@dataclass(frozen=True, eq=False)
class Edge:
    """A transform of the tree: T_parent_child [4, 4], metres."""

    parent: str
    child: str
    T_parent_child: Transform

    def inverted(self) -> Edge:
        """The same with the child as parent."""
        return Edge(self.child, self.parent, invert_transform(self.T_parent_child))


def camera_name(frame_id: str) -> str:
    """The camera's name from its optical frame: endoscope_optical_frame is that of endoscope."""
    for ending in OPTICAL_ENDINGS:
        if frame_id.endswith(ending) and len(frame_id) > len(ending):
            return frame_id[: -len(ending)]
    return frame_id or "camera"
