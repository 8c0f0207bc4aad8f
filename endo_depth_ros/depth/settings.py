"""Settings of the depth pipeline, shared by depth_node, the command line and evaluation."""

from __future__ import annotations

from dataclasses import dataclass

from endo_depth_ros.settings import SettingsError, setting


@dataclass(frozen=True)
class DepthSettings:
    """How an image becomes depth."""

    model: str = setting("endo_depth_small", "Depth estimator: endo_depth_small, shading")
    weights: str = setting("", "Weights file of a network (.safetensors); empty for those that the package brings")
    device: str = setting("auto", "Where the model runs", choices=("auto", "cpu", "cuda"))
    runtime: str = setting(
        "auto",
        "What runs a network; auto takes the fastest that the machine has",
        choices=("auto", "torch-cuda", "openvino", "torch-cpu"),
    )
    precision: str = setting(
        "auto",
        "Arithmetic of a network; auto is fp16 on a GPU, bf16 of OpenVINO on CPUs that have it, else fp32",
        choices=("auto", "fp32", "fp16", "bf16"),
    )
    weigh_relief: bool = setting(
        True, "Flatten the relief of narrow views by what the weights file says it is wrong by on real tissue"
    )
    cpu_threads: int = setting(
        0, "Threads of a network on the CPU, 0 for as many as cores, at most 4", minimum=0, maximum=256
    )
    input_width: int = setting(320, "Largest width of the depth image", unit="px", minimum=32, maximum=4096)
    input_height: int = setting(256, "Largest height of the depth image", unit="px", minimum=32, maximum=4096)
    rectified_fov_deg: float = setting(
        120.0, "Widest field of view of the rectified pinhole image", unit="deg", minimum=10.0, maximum=160.0
    )
    hfov_deg: float = setting(
        0.0,
        "Horizontal field of view assumed for an uncalibrated camera; 0 waits for a calibration",
        unit="deg",
        minimum=0.0,
        maximum=170.0,
    )
    field_of_view: str = setting(
        "auto", "Find the scope's lit field of view in the image, or take the whole image", choices=("auto", "none")
    )
    crop_to_field_of_view: bool = setting(
        True, "Rectify only the part of the image that the scope lights, at a finer resolution"
    )
    allow_relative: bool = setting(False, "Publish depth whose scale is unknown (scale_state relative)", live=True)
    metres_per_unit: float = setting(
        0.0,
        "Known factor from the model's unit to metres; 0 when unknown",
        unit="m",
        minimum=0.0,
        maximum=1000.0,
        live=True,
    )
    min_depth_m: float = setting(
        0.001, "Nearer depth is marked too near (-inf); not applied to relative depth", unit="m", minimum=0.0, live=True
    )
    max_depth_m: float = setting(
        1.0, "Farther depth is marked too far (+inf); not applied to relative depth", unit="m", minimum=0.0, live=True
    )
    saturated_level: int = setting(
        250,
        "A channel that reaches this is full, a pixel with two of them saturated",
        minimum=1,
        maximum=255,
        live=True,
    )
    dark_level: int = setting(
        6, "A pixel whose brightest channel is at most this is too dark", minimum=0, maximum=254, live=True
    )
    min_brightness: int = setting(
        30,
        "Level of the brightest channel that 5 % of the field of view must exceed, else the frame is dark; 0 takes any",
        minimum=0,
        maximum=255,
        live=True,
    )
    max_saturated_fraction: float = setting(
        0.25,
        "Share of saturated pixels in what is lit above which the frame is overexposed; 1 takes any",
        minimum=0.0,
        maximum=1.0,
        live=True,
    )
    max_veil: float = setting(
        0.4,
        "Opacity of smoke or blood over the whole picture above which the frame is obscured; 1 takes any",
        minimum=0.0,
        maximum=1.0,
        live=True,
    )
    max_cold_fraction: float = setting(
        0.05,
        "Share of bluish or greenish pixels in what is lit above which a mostly colourless frame is outside_body; "
        "1 takes any",
        minimum=0.0,
        maximum=1.0,
        live=True,
    )
    max_edge_width_px: float = setting(
        1.45,
        "Width of the sharper edges (standard deviation, in a picture 320 px wide, or in the model's image of a wide "
        "scope where that is smaller) above which the frame is blurred; "
        "0 takes any",
        unit="px",
        minimum=0.0,
        maximum=20.0,
        live=True,
    )
    steadiness: bool = setting(True, "Take out changes of the depth's scale from frame to frame", live=True)
    steadiness_time_s: float = setting(
        3.0,
        "Time over which the scale is held: its mean over longer times is the model's",
        unit="s",
        minimum=0.05,
        maximum=60.0,
        live=True,
    )
    steadiness_limit: float = setting(
        0.2,
        "Largest share by which depth is changed against flicker",
        minimum=0.0,
        maximum=1.0,
        live=True,
    )
    shading_gamma: float = setting(2.2, "Exponent that linearises the camera's intensities", minimum=1.0, maximum=3.0)
    shading_smoothing: float = setting(
        0.0125, "Standard deviation of the smoothing, as a share of the image width", minimum=0.0, maximum=0.1
    )

    def check(self) -> None:
        """Raise SettingsError for settings that contradict one another."""
        if self.min_depth_m >= self.max_depth_m:
            raise SettingsError(f"min_depth_m {self.min_depth_m} m must be less than max_depth_m {self.max_depth_m} m")
        if self.dark_level >= self.saturated_level:
            raise SettingsError(f"dark_level {self.dark_level} must be below saturated_level {self.saturated_level}")
