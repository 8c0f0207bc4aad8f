"""Settings of the camera tracker, shared by pose_node, the command line and evaluation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from endo_depth_ros.pose.depth_field import prior_sigmas
from endo_depth_ros.pose.lie import Array
from endo_depth_ros.settings import SettingsError, setting


@dataclass(frozen=True)
class PoseSettings:
    """How frames with depth become camera poses."""

    synchronous: bool = setting(
        False, "Optimise keyframes within the call that makes them instead of on a thread, so that runs repeat exactly"
    )
    grid_cell_px: int = setting(16, "One point is tracked per cell of this size", unit="px", minimum=6, maximum=128)
    corner_quality: float = setting(
        0.02, "Corners weaker than this share of a strong one are not tracked", minimum=0.0, maximum=1.0
    )
    flow_window_px: int = setting(17, "Side of the patch that is followed", unit="px", minimum=7, maximum=63)
    wide_window_px: int = setting(
        41, "Side of the patch that is followed where too few small ones are found", unit="px", minimum=7, maximum=127
    )
    flow_levels: int = setting(3, "Halvings of the image for large motion", minimum=0, maximum=6)
    max_return_px: float = setting(
        0.7, "A point followed there and back must return this close", unit="px", minimum=0.05, maximum=10.0
    )
    pixel_sigma: float = setting(
        0.4,
        "Standard deviation of a point that is followed from a keyframe, new with every keyframe, however much texture "
        "it has; what noise and a lack of texture add is measured",
        unit="px",
        minimum=0.05,
        maximum=10.0,
    )
    max_reprojection_px: float = setting(
        3.0, "Points farther than this from where the pose puts them are outliers", unit="px", minimum=0.2, maximum=50.0
    )
    min_points: int = setting(20, "Fewer consistent points don't make a pose", minimum=6, maximum=10000)
    min_inlier_share: float = setting(
        0.5, "Smaller shares of consistent points don't make a pose", minimum=0.0, maximum=1.0
    )
    depth_log_sigma: float = setting(
        0.03, "Least relative error of depth that is believed, whatever its sigma says", minimum=0.001, maximum=1.0
    )
    depth_correlation: float = setting(
        1.5,
        "Factor on the sigma of depth, for errors that neighbouring points share beside the smooth field",
        minimum=1.0,
        maximum=100.0,
    )
    depth_persistence: float = setting(
        0.7,
        "Share of the variance of a depth's error that is the same in all keyframes",
        minimum=0.0,
        maximum=0.99,
    )
    shared_error: float = setting(
        2.4,
        "Factor on the standard deviations of poses, for errors that all points of a frame share",
        minimum=1.0,
        maximum=100.0,
    )
    scale_log_sigma: float = setting(
        0.1,
        "Flicker: relative error of a depth image as a whole",
        minimum=0.0001,
        maximum=1.0,
    )
    field_share: float = setting(
        0.45,
        "Relative error of depth that varies linearly over the image, as a share of what sigma says; that of each "
        "higher order, up to the fourth, is 0.7 of the one before",
        minimum=0.001,
        maximum=2.0,
    )
    max_depth_disagreement: float = setting(
        0.5,
        "Median relative difference between a depth image and the points already known above which it isn't believed",
        minimum=0.01,
        maximum=10.0,
    )
    keyframe_parallax: float = setting(
        0.04,
        "Median parallax that makes a new keyframe, in image widths",
        minimum=0.001,
        maximum=1.0,
    )
    keyframe_overlap: float = setting(
        0.5, "A share of followed points below this makes a new keyframe", minimum=0.0, maximum=1.0
    )
    window: int = setting(8, "Keyframes that are optimised together", unit="keyframes", minimum=2, maximum=50)
    max_keyframes: int = setting(
        150, "Keyframes kept for finding the place again after loss", unit="keyframes", minimum=2, maximum=10000
    )
    frozen_frames: int = setting(
        5, "Identical images in a row that mean a frozen video", unit="frames", minimum=2, maximum=1000
    )
    lost_after_s: float = setting(
        1.0, "Time without a pose after which the camera is lost", unit="s", minimum=0.0, maximum=600.0
    )
    new_segment_after_s: float = setting(
        0.5,
        "Time of good frames without finding the place again after which tracking starts anew",
        unit="s",
        minimum=0.0,
        maximum=600.0,
    )
    velocity_decay_s: float = setting(
        0.3, "Time in which a motion that isn't seen any more dies down", unit="s", minimum=0.001, maximum=60.0
    )
    motion_network: str = setting(
        "endo_motion_small",
        "What proposes a motion where points aren't found again: endo_motion_small, none, or a file of weights",
    )
    motion_retry_share: float = setting(
        0.4,
        "When a smaller share of the followed points is found, they are looked for again from the proposed motion",
        minimum=0.0,
        maximum=1.0,
    )
    motion_carry_s: float = setting(
        0.5,
        "Time for which proposed motions carry the pose on while no points are found",
        unit="s",
        minimum=0.0,
        maximum=600.0,
    )
    max_odom_step: float = setting(
        0.05,
        "Larger steps after degraded frames, in radians or distances to the scene, correct map→odom instead of odom",
        minimum=0.0,
        maximum=10.0,
    )

    def field_sigmas(self, scale_log_sigma: float, log_sigma: Array) -> Array:
        """Standard deviations [TERMS] of a DepthField before anything is seen.

        scale_log_sigma: of its scale. log_sigma: [N], of single depths as the tracker has them. Slopes and bowls are as
        wide as what graph and resection weigh them against, whose standard deviations have shared_error as a factor.
        """
        typical = float(np.median(log_sigma)) / self.depth_correlation if len(log_sigma) else self.depth_log_sigma
        return prior_sigmas(scale_log_sigma, self.shared_error * self.field_share * typical)

    def check(self) -> None:
        """Raise SettingsError for settings that contradict one another."""
        for name in ("flow_window_px", "wide_window_px"):
            if getattr(self, name) % 2 == 0:
                raise SettingsError(f"{name} is {getattr(self, name)} but must be odd, to have a middle")
