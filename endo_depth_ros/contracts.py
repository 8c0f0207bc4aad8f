"""What the layers pass to one another: frames, depth, poses and their status."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.geometry.camera import Camera

STATUS_SCHEMA_VERSION = 1


class Verdict(str, Enum):
    """Whether a frame may be trusted; anything but OK names what is wrong with it."""

    OK = "ok"
    DARK = "dark"
    OVEREXPOSED = "overexposed"
    OBSCURED = "obscured"
    OUTSIDE_BODY = "outside_body"
    BLURRED = "blurred"
    INVALID_INPUT = "invalid_input"
    INTERNAL_ERROR = "internal_error"


class ScaleState(str, Enum):
    """What is known about the factor between depth and metres.

    RELATIVE: unknown. NOMINAL: trained or given in metres, unverified.
    METRIC: verified by kinematics or a given constant.
    """

    RELATIVE = "relative"
    NOMINAL = "nominal"
    METRIC = "metric"


class TrackingState(str, Enum):
    """State of the camera tracker for one frame."""

    INITIALISING = "initialising"
    TRACKING = "tracking"
    DEGRADED = "degraded"
    LOST = "lost"
    RELOCALISED = "relocalised"


@dataclass(frozen=True)
class Scale:
    """Metres per unit of the estimator's depth; `value` and `sigma` are constant within an `epoch`."""

    state: ScaleState = ScaleState.RELATIVE
    value: float = 1.0
    sigma: float = float("nan")
    epoch: int = 0


@dataclass(frozen=True)
class Frame:
    """One colour image of one camera.

    image: uint8 [H, W, 3], RGB. stamp_ns: acquisition time in nanoseconds, passed on unchanged.
    frame_id: the camera's optical frame (z forward, x right, y down; REP-103). camera describes exactly this image.
    """

    stamp_ns: int
    frame_id: str
    image: NDArray[np.uint8]
    camera: Camera


@dataclass(frozen=True)
class FrameStatus:
    """What a consumer must know before it uses a frame's depth.

    reason: the measurement behind the verdict, for people. coverage: fraction of the field of view with finite depth.
    field_of_view: shape found in the image (disc, octagon, rectangle, none). steadiness: factor of depth
    against flicker.
    """

    stamp_ns: int
    verdict: Verdict
    reason: str = ""
    coverage: float = 0.0
    scale: Scale = field(default_factory=Scale)
    field_of_view: str = "none"
    calibrated: bool = False
    model: str = ""
    steadiness: float = 1.0


@dataclass(frozen=True)
class DepthEstimate:
    """Depth of one rectified frame.

    frame: the rectified colour image that the depth belongs to, same size, pinhole camera without distortion.
    depth: float32 [H, W], metres along optical z (REP-118), or unknown units while the scale is relative;
    invalid NaN, too near -inf, too far +inf (REP-117).
    sigma: float32 [H, W], one standard deviation in the unit of depth given the scale, NaN where depth is not finite.
    """

    frame: Frame
    depth: NDArray[np.float32]
    sigma: NDArray[np.float32]
    status: FrameStatus

    @property
    def valid(self) -> NDArray[np.bool_]:
        """Pixels whose depth may be used, bool [H, W]."""
        return np.isfinite(self.depth)


@dataclass(frozen=True)
class PoseEstimate:
    """Camera pose of one frame.

    T_odom_camera: float64 [4, 4], maps points of the optical frame into odom, metres.
    covariance: float64 [6, 6] of (x, y, z, rotation about x, y, z) in the odom frame, metres and radians,
    the order and axes of geometry_msgs/PoseWithCovariance, given the scale; the scale's own error is scale.sigma.
    """

    stamp_ns: int
    frame_id: str
    state: TrackingState
    T_odom_camera: NDArray[np.float64]
    covariance: NDArray[np.float64]
    scale: Scale = field(default_factory=Scale)
