"""Depth whose scale does not flicker from frame to frame.

A network's error has a part that multiplies the whole depth image and changes from frame to frame: D_t = s_t · Z_t.
Between two frames the change of s shows on points that both see, once the camera's own motion is taken out, and the
tracks tell that motion without any pose: with the points X that D gives in the frame before, the motion T that best
explains where they are seen now says how deep each of them should be, Z' = (T X)_z, and

    log s_t - log s_(t-1) = median over the points of log(D_t / Z')

T inherits the scale of the D before, so an error of its shape enters Z' only by the small share of the depth that the
motion makes up. Outliers (instruments, highlights, deforming tissue) are weighed down in T and in the median.

The correction is causal, bounded and forgets: c_t = a · c_(t-1) - (log s_t - log s_(t-1)) with a = exp(-Δt / τ), and
the depth is multiplied by exp(c_t). After n frames since a cut, a is (n - 1) / n where that is less: the plain mean of
those frames, so that the first does not decide for τ seconds. The result carries the running mean of log s over about τ
seconds instead of log s_t: quick changes vanish, the mean scale over longer times is the network's own. Real approach
and retreat are in T, so they pass without lag. Without the forgetting, small errors of each pair of frames would add
up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.contracts import Frame
from endo_depth_ros.geometry.camera_motion import fit_camera_motion
from endo_depth_ros.imaging.exposure import dilate
from endo_depth_ros.imaging.tracks import extract_texture, follow_corners

# Frames further apart than this are not compared.
MAX_GAP_S = 0.5
MIN_TRACKS = 25
# A larger change of the logarithm between two frames is no flicker but another scene.
MAX_CHANGE = 0.4
# Corners keep off pixels without depth, rims and highlights, which move against the tissue: in half-size pixels.
CLEARANCE_PX = 2


@dataclass(frozen=True)
class Seen:
    """What is kept of a frame.

    texture: see extract_texture. depth: float32 [H, W], NaN where it can't be trusted.
    """

    frame: Frame
    texture: NDArray[np.uint8]
    depth: NDArray[np.float32]


class Steadiness:
    """Follows the scale of the depth of one camera's frames. Not thread-safe."""

    def __init__(self) -> None:
        self._before: Seen | None = None
        self._log_correction = 0.0
        self._frames = 0  # since the last cut

    def reset(self) -> None:
        """Forget what earlier frames taught, as after a cut."""
        self._before = None
        self._log_correction = 0.0
        self._frames = 0

    def correct(self, frame: Frame, depth: NDArray[np.float32], time_constant_s: float, limit: float) -> float:
        """The factor for this frame's depth, within 1/(1 + limit) and 1 + limit; exactly 1 after a cut.

        frame: rectified. depth: float32 [H, W] as the model gives it, in any unit, NaN where it can't be trusted.
        """
        now = Seen(frame, extract_texture(frame.image), depth)
        change = None if self._before is None else measure_change(self._before, now)
        if self._before is None or change is None:
            self._log_correction, self._frames = 0.0, 0
        else:
            elapsed_s = (frame.stamp_ns - self._before.frame.stamp_ns) / 1e9
            kept = min(math.exp(-elapsed_s / time_constant_s), (self._frames - 1) / self._frames)
            bound = math.log1p(limit)
            self._log_correction = min(max(kept * self._log_correction - change, -bound), bound)
        self._before = now
        self._frames += 1
        return math.exp(self._log_correction)


def measure_change(before: Seen, after: Seen) -> float | None:
    """By how much the logarithm of the scale of depth grew, or None where the frames don't show the same scene."""
    elapsed_s = (after.frame.stamp_ns - before.frame.stamp_ns) / 1e9
    if before.frame.camera != after.frame.camera or not 0 < elapsed_s <= MAX_GAP_S:
        return None
    height, width = before.texture.shape
    unknown = np.ascontiguousarray(np.isnan(before.depth[: 2 * height : 2, : 2 * width : 2]))
    where = ~dilate(unknown, CLEARANCE_PX)
    tracks = follow_corners(before.texture, after.texture, where)
    depth_before, depth_after = sample(before.depth, tracks.before), sample(after.depth, tracks.after)
    known = (depth_before > 0) & (depth_after > 0)
    if np.count_nonzero(known) < MIN_TRACKS:
        return None
    K = before.frame.camera.K
    focal, centre = np.diag(K)[:2], K[:2, 2]
    points = to_points((tracks.before[known] - centre) / focal, depth_before[known])
    rays = (tracks.after[known] - centre) / focal
    T = fit_camera_motion(points, rays)
    expected = points @ T[2, :3] + T[2, 3]
    ahead = expected > 0
    if np.count_nonzero(ahead) < MIN_TRACKS:
        return None
    change = float(np.median(np.log(depth_after[known][ahead] / expected[ahead])))
    return change if abs(change) <= MAX_CHANGE else None


def sample(depth: NDArray[np.float32], pixels: NDArray[np.float32]) -> NDArray[np.float64]:
    """Depth at pixels (u, v) [N, 2], between its four neighbours; NaN beside a NaN and outside."""
    if len(pixels) == 0:
        return np.zeros(0)
    columns, rows = np.ascontiguousarray(pixels[:, :1]), np.ascontiguousarray(pixels[:, 1:])
    values = cv2.remap(depth, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=math.nan)
    return np.asarray(values, np.float64)[:, 0]


def to_points(rays: NDArray[np.float64], depth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points [N, 3] along rays [N, 2] (x/z, y/z) at depths [N]."""
    return np.column_stack([rays, np.ones(len(rays))]) * depth[:, None]
