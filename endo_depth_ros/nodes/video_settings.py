"""Settings of video_node."""

from __future__ import annotations

from dataclasses import dataclass

from endo_depth_ros.bags.source import DEFAULT_FRAME_ID
from endo_depth_ros.settings import SettingsError, setting

# One frame a day; less is a typing error.
MIN_FPS = 1e-5
REAL_TIME, AS_FAST_AS_CONSUMED = "real_time", "as_fast_as_consumed"


@dataclass(frozen=True)
class VideoSettings:
    """Parameters of video_node."""

    source: str = setting("", "Video file, image folder, or camera: /dev/videoN or N")
    camera_file: str = setting("", "Calibration of the images (camera_calibration YAML) for camera_info")
    hfov_deg: float = setting(
        0.0,
        "Horizontal field of view to assume; 0 assumes none",
        unit="deg",
        minimum=0.0,
        maximum=179.0,
    )
    fps: float = setting(
        0.0, "Frame rate instead of the file's own; 0 takes the file's, 30 for folders", minimum=0.0, maximum=10000.0
    )
    pacing: str = setting(
        REAL_TIME,
        "real_time keeps the frame rate; as_fast_as_consumed sends a frame when the one before was consumed",
        choices=(REAL_TIME, AS_FAST_AS_CONSUMED),
    )
    rate: float = setting(1.0, "Speed of a file in real time, times its own", minimum=0.01, maximum=100.0)
    consumed_topic: str = setting(
        "depth/status",
        "A DiagnosticArray here with the stamp of a frame says that it was consumed; '' takes reception for it",
    )
    consumed_timeout_s: float = setting(
        5.0, "A frame that nobody consumed for this long is given up", unit="s", minimum=0.01
    )
    loop: bool = setting(False, "Start a file again at its end")
    frame_id: str = setting(DEFAULT_FRAME_ID, "Optical frame of the images")
    parent_frame_id: str = setting(
        "endoscope_link", "Body frame (x forward, z up) that a static transform joins to frame_id; '' sends none"
    )
    wait_for_subscriber: bool = setting(True, "Hold a file's first frame until somebody subscribes to the images")
    wait_for_node: str = setting("", "Name of the node that must be that subscriber, such as depth_node; '' takes any")
    device_width: int = setting(0, "Width to ask a camera for; 0 takes its own", unit="px", minimum=0, maximum=16384)
    device_height: int = setting(0, "Height to ask a camera for; 0 takes its own", unit="px", minimum=0, maximum=16384)

    def check(self) -> None:
        """Raise SettingsError for settings that contradict one another."""
        if not self.source:
            raise SettingsError("source is empty; give a video file, an image folder or /dev/videoN")
        if 0 < self.fps < MIN_FPS:
            raise SettingsError(f"fps is {self.fps}; give the frames per second, or 0 for the file's own")
        if self.camera_file and self.hfov_deg > 0:
            raise SettingsError("camera_file and hfov_deg are both given; keep the calibration or the assumption")
        if not self.frame_id:
            raise SettingsError("frame_id is empty; name the camera's optical frame")
        if self.frame_id == self.parent_frame_id:
            raise SettingsError("frame_id and parent_frame_id are the same frame; rename one")
