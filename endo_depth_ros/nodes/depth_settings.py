"""Settings of depth_node: the pipeline's, and how it meets the graph."""

from __future__ import annotations

from dataclasses import dataclass

from endo_depth_ros.depth.settings import DepthSettings
from endo_depth_ros.settings import SettingsError, setting


@dataclass(frozen=True)
class DepthNodeSettings(DepthSettings):
    """Parameters of depth_node."""

    autostart: bool = setting(True, "Configure and activate at start; false waits for lifecycle transitions")
    image_transport: str = setting(
        "raw", "Subscribe to image_raw, or to image_raw/compressed", choices=("raw", "compressed")
    )
    image_reliability: str = setting(
        "auto",
        "Reliability of the image subscription; auto starts reliable and falls back to what the publisher offers",
        choices=("auto", "reliable", "best_effort"),
    )
    processing: str = setting(
        "newest",
        "newest: a slow model drops old frames (live); every: frames wait in a queue (replay)",
        choices=("newest", "every"),
    )
    queue_size: int = setting(100, "Frames that may wait with processing every", minimum=1, maximum=10000)
    synchronous: bool = setting(False, "Work inside the subscription callback, without a thread (repeatable runs)")
    depth_encoding: str = setting("32FC1", "Metres as float, or millimetres as 16 bit", choices=("32FC1", "16UC1"))
    organised_points: bool = setting(
        False, "Keep the image grid in depth/points, NaN where invalid, instead of leaving pixels out", live=True
    )
    color_near_m: float = setting(
        0.0, "Depth at the near end of depth/image_color; 0 follows the image", unit="m", minimum=0.0, live=True
    )
    color_far_m: float = setting(
        0.0, "Depth at the far end of depth/image_color; 0 follows the image", unit="m", minimum=0.0, live=True
    )
    max_decoded_pixels: int = setting(
        50_000_000, "Largest compressed image that is decoded", unit="px", minimum=1, maximum=1_000_000_000
    )
    stale_after_s: float = setting(
        2.0, "Silence on the image topic after which diagnostics call it stale", unit="s", minimum=0.1, live=True
    )

    def check(self) -> None:
        """Raise SettingsError for settings that contradict one another."""
        super().check()
        if 0 < self.color_far_m <= self.color_near_m:
            raise SettingsError(f"color_far_m {self.color_far_m} m must exceed color_near_m {self.color_near_m} m")
