"""Settings of the metric scale and of a robot's kinematics."""

from __future__ import annotations

from dataclasses import dataclass

from endo_depth_ros.settings import SettingsError, setting


@dataclass(frozen=True)
class MetricScaleSettings:
    """Where metres come from: a constant, a robot's kinematics, or the depth model as it is."""

    constant: float = setting(
        0.0, "Metres per unit of the model's depth where that is known; 0 = not known", minimum=0.0, maximum=1e6
    )
    constant_sigma: float = setting(0.02, "Relative standard deviation of `constant`", minimum=0.0, maximum=1.0)
    time_offset_s: float = setting(
        0.0, "Added to the robot's stamps to get the camera's", unit="s", minimum=-10.0, maximum=10.0
    )
    time_sigma_s: float = setting(0.005, "Standard deviation of time_offset_s", unit="s", minimum=0.0, maximum=1.0)
    position_sigma: float = setting(
        0.001, "Standard deviation of the robot's positions, each axis", unit="m", minimum=1e-6, maximum=1.0
    )
    rotation_sigma_deg: float = setting(
        0.3, "Standard deviation of the robot's orientations, each axis", unit="deg", minimum=0.001, maximum=90.0
    )
    hand_eye_rotation_sigma_deg: float = setting(
        5.0, "Standard deviation of a given hand-eye transform's rotation, each axis", unit="deg", minimum=0.01,
        maximum=180.0,
    )  # fmt: skip
    hand_eye_position_sigma: float = setting(
        0.01, "Standard deviation of a given hand-eye transform's position, each axis", unit="m", minimum=1e-5,
        maximum=10.0,
    )  # fmt: skip
    smoothing_s: float = setting(
        0.12, "Samples of the robot within this time make its pose", unit="s", minimum=0.001, maximum=5.0
    )
    max_gap_s: float = setting(
        0.2, "Longer gaps between samples of the robot are not bridged", unit="s", minimum=0.001, maximum=10.0
    )
    memory_s: float = setting(
        60.0, "Time for which the robot's samples are kept", unit="s", minimum=1.0, maximum=3600.0
    )
    min_travel: float = setting(
        0.035, "Travel of the camera before a scale is believed", unit="m", minimum=0.001, maximum=10.0
    )
    max_scale_sigma: float = setting(
        0.02,
        "Relative standard deviation at which a scale is believed; 0.01 of it is what vision wanders by",
        minimum=0.012,
        maximum=1.0,
    )
    new_epoch_change: float = setting(
        0.02, "Relative change of a believed scale that begins a new epoch", minimum=0.001, maximum=10.0
    )

    def check(self) -> None:
        """Raise SettingsError for settings that contradict one another."""
        if self.max_gap_s > 2 * self.smoothing_s:
            raise SettingsError(
                f"max_gap_s is {self.max_gap_s} but must be at most twice smoothing_s ({self.smoothing_s}), "
                "whose samples have to surround an image"
            )
