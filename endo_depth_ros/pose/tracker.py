"""The camera tracker: frames with depth in, poses with covariance and an explicit state out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.contracts import DepthEstimate, PoseEstimate, TrackingState, Verdict
from endo_depth_ros.geometry.transforms import Transform, invert_transform
from endo_depth_ros.pose.covariance import compose, to_message_order
from endo_depth_ros.pose.frozen_video import FrozenVideo
from endo_depth_ros.pose.lie import Array, log_se3
from endo_depth_ros.pose.local_map import LocalMap
from endo_depth_ros.pose.motion import MotionModel, MotionPrior, grown, step_information
from endo_depth_ros.pose.relocalisation import relocalise
from endo_depth_ros.pose.resection import Prior, Resection
from endo_depth_ros.pose.settings import PoseSettings
from endo_depth_ros.pose.views import Sight, TrackingError, View, follow_landmarks, locate_camera, measure_parallax
from endo_depth_ros.pose.window import FactorsMaker
from endo_depth_ros.stamps import NANOSECONDS

# Of the first pose of all, which defines odom: as good as exact, but not so much that the graph becomes singular.
ORIGIN = np.diag([1e-5] * 3 + [1e-6] * 3) ** 2


@dataclass(frozen=True)
class TrackedFrame:
    """A frame's pose and how it came about.

    pose: in odom, which is continuous. T_map_odom: turns it into the map, where the camera is found again after loss;
    `correction` counts its changes. segment: counts new beginnings; poses of two segments are related by a guess only.
    log_scale: logarithm of what the frame's depth has to be multiplied by to agree with the map; NaN where not seen.
    points: landmarks that the pose rests on. reason: why there is none, '' otherwise.
    """

    pose: PoseEstimate
    T_map_odom: Transform
    correction: int
    segment: int
    points: int = 0
    is_keyframe: bool = False
    reason: str = ""
    log_scale: float = float("nan")

    def pose_in_map(self) -> Transform:
        """T_map_camera [4, 4]."""
        return self.T_map_odom @ self.pose.T_odom_camera


@dataclass(frozen=True)
class _Known:
    """What is known of the camera at a time. covariance: [6, 6], body frame."""

    stamp_ns: int
    T_map_camera: Transform
    covariance: Array

    def moved(self, correction: Transform) -> _Known:
        """The same after a motion in the map."""
        return replace(self, T_map_camera=correction @ self.T_map_camera)


class Tracker:
    """Follows one camera. Not thread-safe; frames in order; `reset` after a jump back in time; `close` at the end."""

    def __init__(self, settings: PoseSettings | None = None, others: Sequence[FactorsMaker] = ()) -> None:
        """others: more knowledge about keyframes for the graph, such as a robot's kinematics."""
        self.settings = settings or PoseSettings()
        self._map = LocalMap(self.settings, others)
        self._frozen = FrozenVideo(self.settings.frozen_frames)
        self._motion = MotionModel(self.settings.velocity_decay_s)
        self.reset()

    def reset(self) -> None:
        """Forget everything: the next frame is the origin of odom and map."""
        self._map.clear()
        self._frozen.reset()
        self._motion.forget_velocity()
        self._T_map_odom, self._correction, self._segment = np.eye(4), 0, 0
        self._last: _Known | None = None  # the previous frame
        self._seen: _Known | None = None  # the last frame that was tracked, or the very first
        self._first_unplaced_ns: int | None = None  # of the good frames in a row that found no place
        self._kind: tuple[Any, ...] = ()  # scale epoch and camera

    def close(self) -> None:
        """Stop the optimiser's thread."""
        self._map.close()

    def relocalise(self) -> None:
        """Leave the present keyframes: the next good frame looks for its place among all that are known."""
        self._map.leave()

    def track(
        self, estimate: DepthEstimate, trusted: NDArray[np.bool_] | None = None, motion: MotionPrior | None = None
    ) -> TrackedFrame:
        """The pose of the next frame.

        trusted: bool [H, W], False where instruments are. motion: a proposal for the motion since the previous frame.
        Raises ValueError for a stamp that doesn't rise.
        """
        self._check_stamp(estimate.frame.stamp_ns)
        self._take_corrections()
        self._leave_what_differs(estimate)
        view = View(estimate, trusted)
        predicted = self._predict(view.stamp_ns, motion)
        frozen = self._frozen.see(estimate.frame.image)
        if self._last is None and estimate.status.verdict is Verdict.OK:
            return self._begin(view, predicted, motion, TrackingState.INITIALISING)
        try:
            self._refuse(estimate, frozen)
        except TrackingError as error:
            self._first_unplaced_ns = None
            return self._carry_on(view, predicted, motion, str(error))
        try:
            return self._accept(view, predicted, self._find(view, predicted, motion))
        except TrackingError as error:
            return self._search(view, predicted, motion, str(error))

    # --- finding the pose -------------------------------------------------------------------------------------------

    def _refuse(self, estimate: DepthEstimate, frozen: bool) -> None:
        if estimate.status.verdict is not Verdict.OK:
            raise TrackingError(f"{estimate.status.verdict.value}: {estimate.status.reason}")
        if frozen:
            raise TrackingError(f"frozen: the last {self._frozen.count} images are identical")

    def _find(self, view: View, predicted: Transform, motion: MotionPrior | None) -> Sight:
        """Track the landmarks of the newest keyframe. Raises TrackingError."""
        if not self._map.is_begun:
            raise TrackingError("there is nothing to track against")
        tracks, keyframes = self._map.tracks, self._map.keyframes
        found = follow_landmarks(view, self._map.picture, tracks, keyframes, predicted, self.settings)
        return locate_camera(*found, predicted, self._prior(view, predicted, motion), len(tracks), self.settings)

    def _prior(self, view: View, predicted: Transform, motion: MotionPrior | None) -> Prior | None:
        if self._is_unseen or self._last is None:
            return None
        if motion is not None:
            return Prior(predicted, np.asarray(np.linalg.inv(motion.covariance), np.float64))
        step_s = (view.stamp_ns - self._last.stamp_ns) / NANOSECONDS
        return Prior(predicted, step_information(step_s, self._map.distance))

    def _search(self, view: View, predicted: Transform, motion: MotionPrior | None, reason: str) -> TrackedFrame:
        """A good frame that can't be tracked: it is degraded, the next ones look for their place or begin anew."""
        if self._is_unseen or not self._map.is_begun:
            place = relocalise(view, self._map.places, self.settings)
            if place is not None:
                return self._return_to(view, predicted, place)
        since = self._first_unplaced_ns = self._first_unplaced_ns or view.stamp_ns
        if (view.stamp_ns - since) / NANOSECONDS >= self.settings.new_segment_after_s or not self._map.is_begun:
            return self._begin(view, predicted, motion, self._unseen_state(view), reason)
        return self._carry_on(view, predicted, motion, reason)

    # --- what follows from it ---------------------------------------------------------------------------------------

    def _accept(self, view: View, predicted: Transform, sight: Sight) -> TrackedFrame:
        """The frame was tracked."""
        T = sight.resection.T_map_camera
        if self._is_unseen:
            self._motion.forget_velocity()
            self._keep_odom_continuous(T, predicted, at_most=self.settings.max_odom_step)
        elif self._last is not None:
            step_s = (view.stamp_ns - self._last.stamp_ns) / NANOSECONDS
            self._motion.learn(self._last.T_map_camera, T, step_s)
        known = _Known(view.stamp_ns, T, self._map.covariance_of(T, sight.resection.covariance))
        is_keyframe = self._needs_keyframe(view, sight)
        if is_keyframe:
            self._map.add(view, sight, known.covariance)
        self._last = self._seen = known
        self._first_unplaced_ns = None
        tracked = self._report(view, TrackingState.TRACKING, points=len(sight.tracks), is_keyframe=is_keyframe)
        return replace(tracked, log_scale=sight.resection.log_scale)

    def _needs_keyframe(self, view: View, sight: Sight) -> bool:
        """Enough parallax, or too little overlap, since the newest keyframe."""
        if self._map.is_busy:
            return False
        newest = self._map.newest.T_map_camera
        parallax = measure_parallax(
            sight.tracks.pixels, sight.evidence.pixels, newest, sight.resection.T_map_camera, view.camera_matrix
        )
        far = parallax > self.settings.keyframe_parallax * view.picture.shape[1]
        return far or sight.share < self.settings.keyframe_overlap

    def _return_to(self, view: View, predicted: Transform, place: Resection) -> TrackedFrame:
        """The camera was found at a known place."""
        self._motion.forget_velocity()
        self._keep_odom_continuous(place.T_map_camera, predicted, at_most=0.0)
        before = self._seen.covariance if self._seen else ORIGIN
        known = _Known(view.stamp_ns, place.T_map_camera, before + place.covariance)
        points = self._map.begin(view, known.T_map_camera, known.covariance)
        self._last = self._seen = known
        self._first_unplaced_ns = None
        return self._report(view, TrackingState.RELOCALISED, points=points, is_keyframe=True)

    def _begin(
        self, view: View, predicted: Transform, motion: MotionPrior | None, state: TrackingState, reason: str = ""
    ) -> TrackedFrame:
        """Start a segment with this frame; whether it can be tracked against the next ones will show."""
        covariance = self._blind_covariance(view, predicted, motion)
        points = self._map.begin(view, predicted, covariance)
        if not self._map.is_begun:
            reason = f"only {points} points to follow, {self.settings.min_points} are needed"
        elif self._seen is not None:
            self._segment += 1
        self._last = _Known(view.stamp_ns, predicted, covariance)
        self._seen = self._seen or self._last
        self._first_unplaced_ns = None
        return self._report(view, state, points=points, is_keyframe=self._map.is_begun, reason=reason)

    def _carry_on(self, view: View, predicted: Transform, motion: MotionPrior | None, reason: str) -> TrackedFrame:
        """The frame wasn't tracked: the camera moves on as it did, less and less surely."""
        if self._seen is None:
            self._last = None
            nowhere = np.diag([np.inf] * 6)
            pose = PoseEstimate(view.stamp_ns, view.frame_id, TrackingState.DEGRADED, np.eye(4), nowhere)
            return TrackedFrame(pose, np.eye(4), 0, 0, reason=reason)
        state = self._unseen_state(view)
        self._last = _Known(view.stamp_ns, predicted, self._blind_covariance(view, predicted, motion))
        return self._report(view, state, reason=reason)

    def _unseen_state(self, view: View) -> TrackingState:
        seen_ns = self._seen.stamp_ns if self._seen else view.stamp_ns
        lost = (view.stamp_ns - seen_ns) / NANOSECONDS > self.settings.lost_after_s
        return TrackingState.LOST if lost and self._is_unseen else TrackingState.DEGRADED

    # --- bookkeeping ------------------------------------------------------------------------------------------------

    @property
    def _is_unseen(self) -> bool:
        """Whether the previous frame wasn't tracked."""
        return self._seen is not self._last

    def _check_stamp(self, stamp_ns: int) -> None:
        if self._last is not None and stamp_ns <= self._last.stamp_ns:
            raise ValueError(
                f"stamp {stamp_ns} doesn't follow {self._last.stamp_ns}; reset the tracker after a jump back in time"
            )

    def _take_corrections(self) -> None:
        correction = self._map.take_corrections()
        if correction is not None and self._last is not None and self._seen is not None:
            is_seen = not self._is_unseen
            self._last = self._last.moved(correction)
            self._seen = self._last if is_seen else self._seen.moved(correction)

    def _leave_what_differs(self, estimate: DepthEstimate) -> None:
        """Depth of another scale epoch, or another camera, fits no keyframe: a new segment begins elsewhere."""
        kind = (estimate.status.scale.epoch, estimate.frame.camera.key)
        if kind != self._kind:
            self._map.clear()
            self._kind = kind

    def _predict(self, stamp_ns: int, motion: MotionPrior | None) -> Transform:
        """T_map_camera that is expected of a frame."""
        if self._last is None or self._seen is None:
            return np.eye(4)
        if motion is not None:
            return self._last.T_map_camera @ motion.T_previous_current
        since_seen_s = (self._last.stamp_ns - self._seen.stamp_ns) / NANOSECONDS
        step_s = (stamp_ns - self._last.stamp_ns) / NANOSECONDS
        return self._motion.predict(self._last.T_map_camera, since_seen_s, step_s)

    def _blind_covariance(self, view: View, predicted: Transform, motion: MotionPrior | None) -> Array:
        """Body covariance [6, 6] of a pose that is predicted only: of a given motion, else of what a hand may do."""
        if self._last is None or self._seen is None:
            return ORIGIN
        if motion is not None:
            return compose(self._last.covariance, motion.T_previous_current, motion.covariance)
        moved = invert_transform(self._seen.T_map_camera) @ predicted
        unseen_s = (view.stamp_ns - self._seen.stamp_ns) / NANOSECONDS
        return grown(self._seen.covariance, moved, unseen_s, self._map.distance)

    def _keep_odom_continuous(self, T_map_camera: Transform, predicted: Transform, at_most: float) -> None:
        """Let a step away from the predicted pose correct map→odom when it is larger than at_most."""
        step = log_se3(invert_transform(predicted) @ T_map_camera)
        if max(np.linalg.norm(step[:3]), np.linalg.norm(step[3:]) / self._map.distance) > at_most:
            T_odom_camera = invert_transform(self._T_map_odom) @ predicted
            self._T_map_odom = T_map_camera @ invert_transform(T_odom_camera)
            self._correction += 1

    def _report(
        self, view: View, state: TrackingState, points: int = 0, is_keyframe: bool = False, reason: str = ""
    ) -> TrackedFrame:
        assert self._last is not None
        T_odom_camera = invert_transform(self._T_map_odom) @ self._last.T_map_camera
        pose = PoseEstimate(
            view.stamp_ns,
            view.frame_id,
            state,
            T_odom_camera,
            to_message_order(self._last.covariance, T_odom_camera),
            view.estimate.status.scale,
        )
        return TrackedFrame(pose, self._T_map_odom.copy(), self._correction, self._segment, points, is_keyframe, reason)
