"""Settings of pose_node: the tracker's, and how it meets the graph."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from endo_depth_ros.geometry.transforms import Transform, pose_matrix
from endo_depth_ros.pose.metric_settings import MetricScaleSettings
from endo_depth_ros.pose.settings import PoseSettings
from endo_depth_ros.settings import SettingsError, setting


@dataclass(frozen=True)
class PoseNodeSettings(PoseSettings, MetricScaleSettings):
    """Parameters of pose_node."""

    synchronous: bool = setting(
        False,
        "Work inside the subscription callback and optimise keyframes within it, without threads (repeatable runs)",
    )
    autostart: bool = setting(True, "Configure and activate at start; false waits for lifecycle transitions")
    processing: str = setting(
        "newest",
        "newest: a slow tracker drops old frames (live); every: frames wait in a queue (replay)",
        choices=("newest", "every"),
    )
    queue_size: int = setting(100, "Frames that may wait with processing every", minimum=1, maximum=10000)
    use_sigma: bool = setting(
        True, "Wait for depth/sigma of each frame; without it a tenth of the depth is taken as its standard deviation"
    )
    allow_relative: bool = setting(
        False, "Publish odometry, path and transforms whose scale is unknown (scale_state relative)", live=True
    )
    odom_frame: str = setting("", "Frame in which the camera moves continuously; empty: the camera's name and _odom")
    map_frame: str = setting("map", "Frame above odom that takes up corrections; empty publishes no map→odom")
    base_frame: str = setting(
        "",
        "Frame that odom is the parent of; empty: the camera's, or what static transforms lead up to from there (with "
        "invert_tf always the camera's)",
    )
    publish_tf: bool = setting(True, "Publish odom→base and map→odom; false where an arm owns the frame")
    invert_tf: bool = setting(False, "Publish base→odom and odom→map instead, for a base that has a parent already")
    tf_wait_s: float = setting(
        1.0,
        "Time to listen for transforms of others before the first is published, and to wait for one that is needed",
        unit="s",
        minimum=0.0,
        maximum=60.0,
    )
    kinematics_base_frame: str = setting(
        "", "Frame of the robot's base, for metres from kinematics; empty uses no kinematics"
    )
    kinematics_tool_frame: str = setting("", "Frame on /tf that the camera is fixed to, moved by the robot")
    hand_eye: str = setting(
        "", "About where the camera is in kinematics_tool_frame: 'x y z qx qy qz qw', metres; empty finds it by itself"
    )
    path_poses: int = setting(500, "Poses on path, the newest ones", unit="poses", minimum=1, maximum=100000)
    path_rate_hz: float = setting(
        5.0, "Poses and messages per second of images on path", unit="Hz", minimum=0.1, maximum=1000.0
    )
    trajectory_file: str = setting(
        "trajectory.tum", "What ~/save_trajectory writes, TUM format; relative to where the node was started", live=True
    )
    trajectory_poses: int = setting(
        216000, "Poses kept for ~/save_trajectory, the newest ones", unit="poses", minimum=1, maximum=10000000
    )
    stale_after_s: float = setting(
        2.0, "Silence of the input after which diagnostics call it stale", unit="s", minimum=0.1, live=True
    )

    def check(self) -> None:
        """Raise SettingsError for settings that contradict one another."""
        PoseSettings.check(self)
        MetricScaleSettings.check(self)
        names = [name for name in (self.odom_frame, self.map_frame, self.base_frame) if name]
        if len(set(names)) < len(names):
            raise SettingsError("odom_frame, map_frame and base_frame must be different frames; rename one")
        if bool(self.kinematics_base_frame) != bool(self.kinematics_tool_frame):
            raise SettingsError("kinematics_base_frame and kinematics_tool_frame belong together; set both or none")
        if self.uses_kinematics and self.kinematics_base_frame == self.kinematics_tool_frame:
            raise SettingsError("kinematics_base_frame and kinematics_tool_frame are the same; name the frames of both")
        self.read_hand_eye()

    @property
    def uses_kinematics(self) -> bool:
        """Whether a robot's poses are listened to."""
        return bool(self.kinematics_base_frame)

    def read_hand_eye(self) -> Transform | None:
        """The given hand-eye transform [4, 4]; None without. Raises SettingsError."""
        if not self.hand_eye:
            return None
        try:
            x, y, z, *quaternion = (float(word) for word in self.hand_eye.split())
            T_tool_camera = pose_matrix([x, y, z], quaternion)
            if not np.isfinite(T_tool_camera).all():
                raise ValueError("not finite")
            return T_tool_camera
        except ValueError as error:
            raise SettingsError(
                f"hand_eye is '{self.hand_eye}' but must be 'x y z qx qy qz qw', finite, the quaternion not zero"
            ) from error
