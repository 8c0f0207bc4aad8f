"""Metres per unit of the model's depth: from a constant or from a robot's kinematics."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

import numpy as np

from endo_depth_ros.contracts import Scale, ScaleState
from endo_depth_ros.geometry.transforms import Transform
from endo_depth_ros.pose.hand_eye import HandEye, HandEyeError, guess_scale, refine, solve_linearly
from endo_depth_ros.pose.keyframe import Keyframe
from endo_depth_ros.pose.kinematic_factors import KinematicFactors
from endo_depth_ros.pose.kinematics import Kinematics
from endo_depth_ros.pose.lie import Array
from endo_depth_ros.pose.metric_settings import MetricScaleSettings
from endo_depth_ros.pose.scale_samples import ScaleSamples, travel
from endo_depth_ros.pose.tracker import TrackedFrame
from endo_depth_ros.stamps import NANOSECONDS

# Relative: what vision's own scale wanders by within some 40 mm (docs/benchmarks.md, "A robot's kinematics").
VISION_DRIFT = 0.01
# With a hand-eye rotation less sure than this, kinematics would bend what vision sees.
MAX_ROTATION_SIGMA = np.radians(3.0)
# Estimates in a row that must contradict the believed scale before it changes.
INSISTENCE = 5
SAMPLES_PER_SOLUTION = 4
MAX_WAIT_S = 2.0


@dataclass(frozen=True)
class ScaleEstimate:
    """The scale to apply, and what is known.

    scale: constant within its epoch; sigma in the unit of value. latest: the newest solution, whose log_scale is that
    of metres per unit of the model's depth; None before there is any. reason: what the scale rests on or lacks.
    """

    scale: Scale
    latest: HandEye | None = None
    reason: str = ""


class MetricScale:
    """Watches a tracker and a robot and says what the scale is; gives the tracker the robot's poses as factors.

    Tracker(settings, others=[metric.factors]); then for each frame metric.update(tracker.track(...)). One thread may
    call add_kinematics while another calls the rest.
    """

    def __init__(self, settings: MetricScaleSettings | None = None, T_tool_camera: Transform | None = None) -> None:
        """T_tool_camera: about where the camera is on the tool, None for not known."""
        self.settings = settings or MetricScaleSettings()
        self._given = T_tool_camera
        self._kinematics = Kinematics(self.settings)
        self.estimate = ScaleEstimate(Scale(), reason="no motion was compared yet")
        self._measured = ""  # what is said of the epoch's scale while nothing contradicts it
        self._is_believed = self.settings.constant > 0
        if self._is_believed:
            sigma = self.settings.constant * self.settings.constant_sigma
            scale = Scale(ScaleState.METRIC, self.settings.constant, sigma, epoch=1)
            self.estimate = ScaleEstimate(scale, reason="given as a constant")
        self.reset()

    def reset(self) -> None:
        """Forget all motion, as after a jump back in time; scale and hand-eye pose stay."""
        self._kinematics.clear()
        self._samples = ScaleSamples()
        self._pending: deque[TrackedFrame] = deque()
        self._fused: KinematicFactors | None = None
        self._fused_unit = 1.0
        self._unsolved = self._contradictions = 0

    def add_kinematics(self, stamp_ns: int, T_base_tool: Transform) -> bool:
        """A pose by the robot's clock; False for one that isn't newer than the last, which is not used."""
        return self._kinematics.add(stamp_ns, T_base_tool)

    def forget_kinematics(self) -> None:
        """Take the robot's poses anew, whatever their stamps, as after a jump of its clock; from any thread."""
        self._kinematics.clear()

    def factors(self, first: Keyframe) -> KinematicFactors | None:
        """The robot's poses for a window that begins with `first`, once hand-eye pose and scale are known."""
        latest = self.estimate.latest
        self._fused = None
        if latest is not None and self._can_fuse(latest):
            self._fused_unit = first.metres_per_unit
            is_metric = self._is_believed and np.isclose(self._fused_unit, self.estimate.scale.value)
            log_scale = 0.0 if is_metric else latest.log_scale - float(np.log(self._fused_unit))
            self._fused = KinematicFactors(self._kinematics, replace(latest, log_scale=log_scale))
        return self._fused

    def update(self, tracked: TrackedFrame, calibrated: bool = True) -> ScaleEstimate:
        """Take in a frame. calibrated: whether the camera is; without, no measured scale is metric."""
        if not self._is_believed:
            self.estimate = replace(self.estimate, scale=tracked.pose.scale)
        latest = self._collect(tracked) if self._fused is None else self._read_graph()
        if latest is not None:
            self.estimate = replace(self.estimate, latest=latest)
            self._judge(latest, calibrated)
        return self.estimate

    def _read_graph(self) -> HandEye | None:
        """What the graph says, which has the robot's poses in it."""
        assert self._fused is not None
        result = self._fused.result
        return result and replace(result, log_scale=result.log_scale + float(np.log(self._fused_unit)))

    def _collect(self, tracked: TrackedFrame) -> HandEye | None:
        """Compare vision and robot, which must not have been told of one another, every few samples."""
        if np.isfinite(tracked.log_scale):
            self._pending.append(tracked)
        settled_ns = self._kinematics.newest_ns - round(self.settings.smoothing_s * NANOSECONDS)
        while self._pending and self._pending[0].pose.stamp_ns <= settled_ns:
            self._unsolved += self._add(self._pending.popleft())
        while self._pending and tracked.pose.stamp_ns - self._pending[0].pose.stamp_ns > MAX_WAIT_S * NANOSECONDS:
            self._miss(self._pending.popleft())
        if self._unsolved < SAMPLES_PER_SOLUTION:
            return None
        self._unsolved = 0
        return self._solve()

    def _add(self, tracked: TrackedFrame) -> bool:
        kinematic = self._kinematics.pose_at(tracked.pose.stamp_ns)
        if kinematic is None:
            self._miss(tracked)
            return False
        T = tracked.pose_in_map()
        T[:3, 3] /= tracked.pose.scale.value
        kind = (tracked.segment, tracked.correction, tracked.pose.scale.epoch)
        return self._samples.add(kind, T, tracked.log_scale, kinematic)

    def _miss(self, tracked: TrackedFrame) -> None:
        """Say that the robot wasn't heard about a frame's time."""
        newest_ns = self._kinematics.newest_ns
        if newest_ns:
            ahead_s = (newest_ns - tracked.pose.stamp_ns) / NANOSECONDS
            where = f"the newest is {abs(ahead_s):.3f} s {'after' if ahead_s > 0 else 'before'} the image"
            self._say(
                f"no poses of the robot around an image's time ({where}); check its clock, rate and time_offset_s"
            )

    def _solve(self) -> HandEye | None:
        """Hand-eye pose and scale of the newest stretches."""
        pairs = self._samples.pairs()
        if not pairs:
            if self._samples.is_torn:
                self._say(
                    "the robot moves too far from one image to the next to compare them with it; do its positions "
                    "jump, or are they not in metres?"
                )
            return None
        try:
            if self._given is None:
                found = refine(pairs, *solve_linearly(pairs))
            else:
                found = refine(pairs, self._given, guess_scale(pairs, self._given), self._given_information())
        except HandEyeError as error:
            self._say(str(error))
            return None
        except np.linalg.LinAlgError:
            self._say("the motion does not tell the hand-eye pose and the scale; move and turn the camera more")
            return None
        metres = travel(pairs) * float(np.exp(found.log_scale))
        if metres < self.settings.min_travel:
            needed = self.settings.min_travel
            reason = f"the camera travelled {1000 * metres:.0f} mm, {1000 * needed:.0f} are needed"
            self.estimate = replace(self.estimate, reason=reason)
            return None
        log_scale, variance = self._samples.depth_in_map()
        spread = np.diag([0.0] * 6 + [variance + VISION_DRIFT**2])
        return replace(found, log_scale=found.log_scale + log_scale, covariance=found.covariance + spread)

    def _given_information(self) -> Array:
        turn = np.radians(self.settings.hand_eye_rotation_sigma_deg)
        return np.diag([turn**-2] * 3 + [self.settings.hand_eye_position_sigma**-2] * 3)

    def _can_fuse(self, latest: HandEye) -> bool:
        """Whether the robot's poses may go into a window: hand-eye pose and the map's unit are known well enough."""
        is_known = self._is_believed or latest.scale_sigma <= self.settings.max_scale_sigma
        return is_known and latest.rotation_sigma <= MAX_ROTATION_SIGMA

    def _judge(self, latest: HandEye, calibrated: bool) -> None:
        """Begin an epoch with this scale where it is known well enough and isn't the believed one already."""
        if self.settings.constant > 0:
            return
        believed, sigma = self.estimate.scale, latest.scale_sigma
        if not self._is_believed and sigma > self.settings.max_scale_sigma:
            self._say(f"the scale is known to {sigma:.1%} by kinematics so far")
            return
        off = float(np.log(believed.value)) - latest.log_scale
        far = abs(off) > max(self.settings.new_epoch_change, 2 * sigma)
        self._contradictions = self._contradictions + 1 if far else 0
        if not self._is_believed:
            self._begin_epoch(latest, calibrated)
        elif not far:
            self._say(self._measured)
        elif self._contradictions >= INSISTENCE:
            # Poses stay metric by the robot. Depth whose scale wanders from place to place is better told than chased:
            # each epoch cuts the way in two.
            if sigma <= self.settings.max_scale_sigma:
                self._begin_epoch(latest, calibrated)
            else:
                self._say(f"depth is {np.expm1(off):+.0%} off by the robot, to {sigma:.0%}; its poses are metric")

    def _begin_epoch(self, latest: HandEye, calibrated: bool) -> None:
        value = float(np.exp(latest.log_scale))
        state = ScaleState.METRIC if calibrated else ScaleState.NOMINAL
        scale = Scale(state, value, value * latest.scale_sigma, self.estimate.scale.epoch + 1)
        self.estimate = replace(self.estimate, scale=scale)
        self._contradictions, self._is_believed = 0, True
        lack = "" if calibrated else "; the camera is uncalibrated"
        self._measured = f"measured by kinematics to {latest.scale_sigma:.1%}{lack}"
        self._say(self._measured)

    def _say(self, reason: str) -> None:
        self.estimate = replace(self.estimate, reason=reason)
