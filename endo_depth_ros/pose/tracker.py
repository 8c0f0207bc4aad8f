"""The camera tracker: frames with depth in, poses with covariance and an explicit state out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.contracts import DepthEstimate, PoseEstimate, TrackingState, Verdict
from endo_depth_ros.geometry.transforms import Transform, invert_transform
from endo_depth_ros.pose.camera_search import find_camera
from endo_depth_ros.pose.covariance import compose, to_message_order
from endo_depth_ros.pose.depth_field import TERMS
from endo_depth_ros.pose.frozen_video import FrozenVideo
from endo_depth_ros.pose.lie import Array, log_se3
from endo_depth_ros.pose.local_map import LocalMap
from endo_depth_ros.pose.motion import MotionModel, MotionPrior, grown, step_information
from endo_depth_ros.pose.refined_depth import DepthFromMotion
from endo_depth_ros.pose.relocalisation import relocalise
from endo_depth_ros.pose.resection import Prior, Resection
from endo_depth_ros.pose.settings import PoseSettings
from endo_depth_ros.pose.views import (
    NoMatchError,
    Sight,
    TrackingError,
    View,
    measure_parallax,
)
from endo_depth_ros.pose.window import FactorsMaker
from endo_depth_ros.stamps import NANOSECONDS

Propose = Callable[[DepthEstimate, DepthEstimate, Transform], MotionPrior | None]

# Of the first pose of all, which defines odom: as good as exact, but not so much that the graph becomes singular.
ORIGIN = np.diag([1e-5] * 3 + [1e-6] * 3) ** 2


@dataclass(frozen=True)
class TrackedFrame:
    """A frame's pose and how it came about.

    pose: in odom, which is continuous. T_map_odom: turns it into the map, where the camera is found again after loss;
    `correction` counts its changes. segment: counts new beginnings; poses of two segments are related by a guess only.
    depth_from_motion: what the frame's depth lacks to agree with the map; None where not seen. log_scale: mean of its
    smooth field where points are, the logarithm of what the depth is off by as a whole; NaN where not seen.
    points: landmarks that the pose rests on. reason: why there is none, '' otherwise.
    """

    pose: PoseEstimate
    T_map_odom: Transform
    correction: int
    segment: int
    points: int = 0
    is_keyframe: bool = False
    reason: str = ""
    depth_from_motion: DepthFromMotion | None = None
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


@dataclass(frozen=True)
class _Guess:
    """Where the camera is expected. covariance: [6, 6], body frame, of this pose if nothing better is seen.

    information: [6, 6], of the guess beside what is seen; None for none. is_proposed: by `propose`.
    """

    T_map_camera: Transform
    covariance: Array
    information: Array | None
    is_proposed: bool = False

    @property
    def log_volume(self) -> float:
        """The smaller, the surer."""
        return float(np.linalg.slogdet(self.covariance)[1])


@dataclass(frozen=True)
class _Attempt:
    """A look for the camera from a guess. failure: why it wasn't found; unmatched: points weren't found again."""

    guess: _Guess
    sight: Sight | None
    failure: str = ""
    unmatched: bool = False

    @property
    def points(self) -> int:
        """How many landmarks agree on the pose."""
        return len(self.sight.tracks) if self.sight is not None else 0

    def found_little(self, settings: PoseSettings) -> bool:
        """Whether another place is worth a look."""
        return self.unmatched if self.sight is None else self.sight.share < settings.motion_retry_share


class Tracker:
    """Follows one camera. Not thread-safe; frames in order; `reset` after a jump back in time; `close` at the end."""

    def __init__(
        self,
        settings: PoseSettings | None = None,
        others: Sequence[FactorsMaker] = (),
        propose: Propose | None = None,
    ) -> None:
        """others: more knowledge about keyframes for the graph, such as a robot's kinematics.

        propose: asked for the motion since the last tracked frame where points aren't found again, with that frame,
        this one and the motion that is expected; None where it knows nothing better.
        """
        self.settings = settings or PoseSettings()
        self._propose = propose
        self._map = LocalMap(self.settings, others)
        self._frozen = FrozenVideo(self.settings.frozen_frames)
        self._motion = MotionModel(self.settings.velocity_decay_s)
        self.reset()

    def reset(self) -> None:
        """Forget everything: the next frame is the origin of odom and map."""
        self._map.clear()
        self._frozen.reset()
        self._motion.forget_velocity()
        self._seen_frame: DepthEstimate | None = None  # that of self._seen
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
        guess = self._guess(view.stamp_ns, motion)
        frozen = self._frozen.see(estimate.frame.image)
        if self._last is None and estimate.status.verdict is Verdict.OK:
            return self._begin(view, guess, TrackingState.INITIALISING)
        try:
            self._refuse(estimate, frozen)
        except TrackingError as error:
            self._first_unplaced_ns = None
            return self._carry_on(view, guess, str(error))
        attempt = self._look(view, guess, may_ask=motion is None)
        if attempt.sight is None:
            return self._search(view, attempt.guess, attempt.failure)
        return self._accept(view, attempt.guess, attempt.sight)

    # --- finding the pose -------------------------------------------------------------------------------------------

    def _refuse(self, estimate: DepthEstimate, frozen: bool) -> None:
        if estimate.status.verdict is not Verdict.OK:
            raise TrackingError(f"{estimate.status.verdict.value}: {estimate.status.reason}")
        if frozen:
            raise TrackingError(f"frozen: the last {self._frozen.count} images are identical")

    def _look(self, view: View, guess: _Guess, may_ask: bool) -> _Attempt:
        """Look for the camera where it is expected; where that finds little, also where a proposal puts it."""
        first = self._attempt(view, guess)
        proposed = self._proposed(view, guess) if may_ask and first.found_little(self.settings) else None
        if proposed is None:
            return first
        second = self._attempt(view, proposed)
        if first.sight is None and second.sight is None:
            return min(first, second, key=lambda attempt: attempt.guess.log_volume)
        return second if second.points >= first.points else first

    def _attempt(self, view: View, guess: _Guess) -> _Attempt:
        """Track the landmarks of the newest keyframe."""
        try:
            if not self._map.is_begun:
                raise TrackingError("there is nothing to track against")
            T = guess.T_map_camera
            prior = None if guess.information is None else Prior(T, guess.information)
            return _Attempt(guess, find_camera(view, self._map.landmarked, T, prior, self.settings))
        except TrackingError as error:
            return _Attempt(guess, None, str(error), isinstance(error, NoMatchError))

    def _search(self, view: View, guess: _Guess, reason: str) -> TrackedFrame:
        """A good frame that can't be tracked: it is degraded, the next ones look for their place or begin anew."""
        if self._is_unseen or not self._map.is_begun:
            place = relocalise(view, self._map.places, self.settings)
            if place is not None:
                return self._return_to(view, guess, place)
        since = self._first_unplaced_ns = self._first_unplaced_ns or view.stamp_ns
        if (view.stamp_ns - since) / NANOSECONDS >= self.settings.new_segment_after_s or not self._map.is_begun:
            return self._begin(view, guess, self._unseen_state(view), reason)
        return self._carry_on(view, guess, reason)

    # --- what follows from it ---------------------------------------------------------------------------------------

    def _accept(self, view: View, guess: _Guess, sight: Sight) -> TrackedFrame:
        """The frame was tracked."""
        T = sight.resection.T_map_camera
        if self._is_unseen:
            self._motion.forget_velocity()
            self._keep_odom_continuous(T, guess.T_map_camera, at_most=self.settings.max_odom_step)
        elif self._last is not None:
            step_s = (view.stamp_ns - self._last.stamp_ns) / NANOSECONDS
            self._motion.learn(self._last.T_map_camera, T, step_s)
        known = _Known(view.stamp_ns, T, self._map.covariance_of(T, sight.resection.covariance))
        lacks = DepthFromMotion(self._map.field_of(sight.resection.depth_field), sight.depth_points())
        is_keyframe = self._needs_keyframe(view, sight)
        if is_keyframe:
            self._map.add(view, sight, known.covariance)
        self._last = self._seen = known
        self._seen_frame = view.estimate
        self._first_unplaced_ns = None
        tracked = self._report(view, TrackingState.TRACKING, points=len(sight.tracks), is_keyframe=is_keyframe)
        return replace(tracked, depth_from_motion=lacks, log_scale=sight.resection.log_scale)

    def _needs_keyframe(self, view: View, sight: Sight) -> bool:
        """Enough parallax, or too little overlap, since the newest keyframe."""
        if self._map.is_busy:
            return False
        newest = self._map.newest.T_map_camera
        parallax = measure_parallax(
            sight.tracks.pixels, sight.evidence.pixels, newest, sight.resection.T_map_camera, view.camera_matrix
        )
        far = parallax > self.settings.keyframe_parallax * view.picture.grey.shape[1]
        return far or sight.share < self.settings.keyframe_overlap

    def _return_to(self, view: View, guess: _Guess, place: Resection) -> TrackedFrame:
        """The camera was found at a known place."""
        self._motion.forget_velocity()
        self._keep_odom_continuous(place.T_map_camera, guess.T_map_camera, at_most=0.0)
        before = self._seen.covariance if self._seen else ORIGIN
        known = _Known(view.stamp_ns, place.T_map_camera, before + place.covariance)
        field = place.depth_field
        points = self._map.begin(view, known.T_map_camera, known.covariance, field.coefficients)
        self._last = self._seen = known
        self._seen_frame = view.estimate
        self._first_unplaced_ns = None
        tracked = self._report(view, TrackingState.RELOCALISED, points=points, is_keyframe=True)
        lacks = DepthFromMotion(self._map.field_of(field))
        return replace(tracked, depth_from_motion=lacks, log_scale=place.log_scale)

    def _begin(self, view: View, guess: _Guess, state: TrackingState, reason: str = "") -> TrackedFrame:
        """Start a segment with this frame; whether it can be tracked against the next ones will show."""
        points = self._map.begin(view, guess.T_map_camera, guess.covariance, np.zeros(TERMS))
        if not self._map.is_begun:
            reason = f"only {points} points to follow, {self.settings.min_points} are needed"
        elif self._seen is not None:
            self._segment += 1
        self._last = _Known(view.stamp_ns, guess.T_map_camera, guess.covariance)
        if self._seen is None:
            self._seen, self._seen_frame = self._last, view.estimate
        self._first_unplaced_ns = None
        return self._report(view, state, points=points, is_keyframe=self._map.is_begun, reason=reason)

    def _carry_on(self, view: View, guess: _Guess, reason: str) -> TrackedFrame:
        """The frame wasn't tracked: the camera moves on as it did, less and less surely, or as is proposed."""
        if self._seen is None:
            self._last = None
            nowhere = np.diag([np.inf] * 6)
            pose = PoseEstimate(view.stamp_ns, view.frame_id, TrackingState.DEGRADED, np.eye(4), nowhere)
            return TrackedFrame(pose, np.eye(4), 0, 0, reason=reason)
        state = self._unseen_state(view)
        self._last = _Known(view.stamp_ns, guess.T_map_camera, guess.covariance)
        more = "; the motion network says where the camera went" if guess.is_proposed else ""
        return self._report(view, state, reason=reason + more)

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
            self._seen_frame = None
            self._kind = kind

    def _guess(self, stamp_ns: int, motion: MotionPrior | None) -> _Guess:
        """By a given motion since the previous frame, else as a hand that moves on as it did."""
        if self._last is None or self._seen is None:
            return _Guess(np.eye(4), ORIGIN, None)
        if motion is not None:
            T = self._last.T_map_camera @ motion.T_previous_current
            covariance = compose(self._last.covariance, motion.T_previous_current, motion.covariance)
            information = np.asarray(np.linalg.inv(motion.covariance), np.float64)
            return _Guess(T, covariance, None if self._is_unseen else information)
        since_seen_s = (self._last.stamp_ns - self._seen.stamp_ns) / NANOSECONDS
        step_s = (stamp_ns - self._last.stamp_ns) / NANOSECONDS
        T = self._motion.predict(self._last.T_map_camera, since_seen_s, step_s)
        moved = invert_transform(self._seen.T_map_camera) @ T
        covariance = grown(self._seen.covariance, moved, since_seen_s + step_s, self._map.distance)
        return _Guess(T, covariance, None if self._is_unseen else step_information(step_s, self._map.distance))

    def _proposed(self, view: View, guess: _Guess) -> _Guess | None:
        """What is proposed instead of a guess, for a while after the camera was last seen."""
        if self._propose is None or self._seen is None or self._seen_frame is None:
            return None
        if (view.stamp_ns - self._seen.stamp_ns) / NANOSECONDS > self.settings.motion_carry_s:
            return None
        expected = invert_transform(self._seen.T_map_camera) @ guess.T_map_camera
        motion = self._propose(self._seen_frame, view.estimate, expected)
        if motion is None:
            return None
        covariance = compose(self._seen.covariance, motion.T_previous_current, motion.covariance)
        information = np.asarray(np.linalg.inv(motion.covariance), np.float64)
        return _Guess(self._seen.T_map_camera @ motion.T_previous_current, covariance, information, is_proposed=True)

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
