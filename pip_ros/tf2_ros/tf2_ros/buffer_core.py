"""The tree of frames: what has been heard, and the way from one frame to another."""

import math
import threading
from collections.abc import Container

from builtin_interfaces.msg import Time as TimeMessage
from geometry_msgs.msg import TransformStamped
from rclpy.duration import Duration
from rclpy.logging import get_logger
from rclpy.time import Time

from tf2_ros.exceptions import (
    ConnectivityException,
    ExtrapolationException,
    InvalidArgumentException,
    LookupException,
    TransformException,
)
from tf2_ros.rigid import IDENTITY, Rigid, compose, invert, normalize_rotation
from tf2_ros.time_cache import Sample, StaticCache, TimeCache, format_time


class BufferCore:
    """Transforms of the last `cache_time` (10 s by default), safe to fill in one thread and to ask in others."""

    def __init__(self, cache_time: Duration | None = None) -> None:
        self._cache_time_ns = 10 * 10**9 if cache_time is None else _count_nanoseconds(cache_time, "duration")
        self._changed = threading.Condition()  # guards everything below; notified when a transform arrives
        # Every name ever heard, in that order; None for a frame that is a parent only.
        self._caches: dict[str, TimeCache | StaticCache | None] = {}

    def set_transform(self, transform: TransformStamped, authority: str) -> None:
        """Take in a transform that changes with time; one that cannot be used is logged and ignored."""
        self._store(transform, authority, TimeCache(self._cache_time_ns))

    def set_transform_static(self, transform: TransformStamped, authority: str) -> None:
        """Take in a transform that holds at all times; one that cannot be used is logged and ignored."""
        self._store(transform, authority, StaticCache())

    def clear(self) -> None:
        """Forget the transforms that change with time; frame names and static transforms stay."""
        with self._changed:
            for cache in self._caches.values():
                if cache is not None:
                    cache.clear()

    def lookup_transform_core(self, target_frame: str, source_frame: str, time: Time | TimeMessage) -> TransformStamped:
        """Return the transform that moves points of `source_frame` into `target_frame`; raise TransformException."""
        with self._changed:
            rigid, stamp_ns = self._look_up(target_frame, source_frame, _count_nanoseconds(time, "time"))
        return _make_message(rigid, stamp_ns, target_frame, source_frame)

    def lookup_transform_full_core(
        self,
        target_frame: str,
        target_time: Time | TimeMessage,
        source_frame: str,
        source_time: Time | TimeMessage,
        fixed_frame: str,
    ) -> TransformStamped:
        """Return the transform from `source_frame` at one time to `target_frame` at another, through `fixed_frame`."""
        with self._changed:
            self._check_frame("lookupTransform argument target_frame", target_frame)
            self._check_frame("lookupTransform argument source_frame", source_frame)
            self._check_frame("lookupTransform argument fixed_frame", fixed_frame)
            T_fixed_source, _ = self._look_up(fixed_frame, source_frame, _count_nanoseconds(source_time, "time"))
            T_target_fixed, stamp_ns = self._look_up(target_frame, fixed_frame, _count_nanoseconds(target_time, "time"))
        return _make_message(compose(T_target_fixed, T_fixed_source), stamp_ns, target_frame, source_frame)

    def can_transform_core(self, target_frame: str, source_frame: str, time: Time | TimeMessage) -> tuple[bool, str]:
        """Return whether `lookup_transform_core` would succeed, and if not why."""
        if target_frame == source_frame:
            return True, ""
        with self._changed:
            complaint = self._find_bad_name(target_frame=target_frame, source_frame=source_frame)
            complaint = complaint or self._find_obstacle(target_frame, source_frame, time)
        return not complaint, complaint

    def can_transform_full_core(
        self,
        target_frame: str,
        target_time: Time | TimeMessage,
        source_frame: str,
        source_time: Time | TimeMessage,
        fixed_frame: str,
    ) -> tuple[bool, str]:
        """Return whether `lookup_transform_full_core` would succeed, and if not why."""
        with self._changed:
            complaint = (
                self._find_bad_name(target_frame=target_frame, source_frame=source_frame, fixed_frame=fixed_frame)
                or self._find_obstacle(target_frame, fixed_frame, target_time)
                or self._find_obstacle(fixed_frame, source_frame, source_time)
            )
        return not complaint, complaint

    def get_latest_common_time(self, target_frame: str, source_frame: str) -> Time:
        """Return the newest time at which the transform is known; 0 where all of it is static."""
        with self._changed:
            self._check_frame("get_latest_common_time", target_frame)
            self._check_frame("get_latest_common_time", source_frame)
            return Time(nanoseconds=self._find_latest_common_stamp(target_frame, source_frame))

    def all_frames_as_string(self) -> str:
        """Return one line per frame: its name and its parent."""
        with self._changed:
            lines = []
            for name, cache in self._caches.items():
                if cache is not None:
                    try:
                        parent = cache.find(0).parent
                    except ExtrapolationException:
                        parent = "NO_PARENT"
                    lines.append(f"Frame {name} exists with parent {parent}.\n")
            return "".join(lines)

    def _store(self, message: TransformStamped, authority: str, empty_cache: TimeCache | StaticCache) -> None:
        child, sample = message.child_frame_id.removeprefix("/"), _read_sample(message)
        complaints = _find_faults(child, sample, authority)
        for complaint in complaints:
            get_logger("tf2").error(complaint)
        if complaints:
            return
        with self._changed:
            cache = self._caches.get(child)
            if type(cache) is not type(empty_cache):
                cache = self._caches[child] = empty_cache
            self._caches.setdefault(sample.parent, None)
            inserted = cache.insert(sample)
            self._changed.notify_all()
        if not inserted:
            get_logger("tf2").warning(
                f"TF_OLD_DATA ignoring data from the past for frame {child} at time {format_time(sample.stamp_ns)} "
                f"according to authority {authority}\n"
                "Possible reasons are listed at http://wiki.ros.org/tf/Errors%20explained"
            )

    def _look_up(self, target: str, source: str, stamp_ns: int) -> tuple[Rigid, int]:
        """Return the transform and its stamp (for time 0 the latest that all frames on the way share)."""
        if target == source:
            cache = self._caches.get(target)
            return IDENTITY, stamp_ns or (_find_latest_stamp(cache) if cache is not None else 0)
        self._check_frame("lookupTransform argument target_frame", target)
        self._check_frame("lookupTransform argument source_frame", source)
        stamp_ns = stamp_ns or self._find_latest_common_stamp(target, source)
        from_source, from_target = self._find_path(target, source, stamp_ns)
        return compose(invert(_climb_transforms(from_target)), _climb_transforms(from_source)), stamp_ns

    def _find_latest_common_stamp(self, target: str, source: str) -> int:
        if target == source:
            return self._look_up(target, source, 0)[1]
        from_source, from_target = self._find_path(target, source, 0)
        return min((sample.stamp_ns for sample in from_source + from_target if sample.stamp_ns), default=0)

    def _find_path(self, target: str, source: str, stamp_ns: int) -> tuple[list[Sample], list[Sample]]:
        """Return the samples from the source and from the target up to the first frame above both.

        Raises ExtrapolationException where a sample is missing on the way (for time 0: ConnectivityException, as
        tf2), ConnectivityException where there is no way, LookupException where the tree is a loop.
        """
        from_source, source_gap = self._climb(source, {target}, stamp_ns)
        heights = {frame: height for height, frame in enumerate([source, *(sample.parent for sample in from_source)])}
        from_target, target_gap = self._climb(target, heights, stamp_ns)
        top = from_target[-1].parent if from_target else target
        if top in heights:
            return from_source[: heights[top]], from_target
        gap = target_gap if target_gap is not None else source_gap
        if gap is None or stamp_ns == 0:
            raise ConnectivityException(
                f"Could not find a connection between '{target}' and '{source}' because they are not part of the same "
                "tree.Tf has two or more unconnected trees."
            )
        raise ExtrapolationException(
            f"{gap}, when looking up transform from frame [{source}] to frame [{target}]"
        ) from gap

    def _climb(
        self, frame: str, stops: Container[str], stamp_ns: int
    ) -> tuple[list[Sample], ExtrapolationException | None]:
        """Return the samples from a frame up to a stop, the root or a gap in the data, and that gap."""
        samples: list[Sample] = []
        visited = set()
        while frame not in stops and (cache := self._caches.get(frame)) is not None:
            if frame in visited:
                raise LookupException(
                    f"The tf tree is invalid because it contains a loop.\n{self.all_frames_as_string()}\n"
                )
            visited.add(frame)
            try:
                samples.append(cache.find(stamp_ns))
            except ExtrapolationException as gap:
                return samples, gap
            frame = samples[-1].parent
        return samples, None

    def _find_obstacle(self, target: str, source: str, time: Time | TimeMessage) -> str:
        """Return why a transform between two known frames cannot be had; empty where it can."""
        try:
            self._look_up(target, source, _count_nanoseconds(time, "time"))
        except TransformException as error:
            return str(error)
        return ""

    def _find_bad_name(self, **frames: str) -> str:
        for argument, frame in frames.items():
            rationale = _find_name_fault(frame) or ("" if frame in self._caches else "frame does not exist")
            if rationale:
                return f'Invalid frame ID "{frame}" passed to canTransform argument {argument} - {rationale}'
        return ""

    def _check_frame(self, argument: str, frame: str) -> None:
        fault = _find_name_fault(frame)
        if fault:
            raise InvalidArgumentException(f'Invalid argument "{frame}" passed to {argument} - {fault}')
        if frame not in self._caches:
            raise LookupException(f'"{frame}" passed to {argument} does not exist. ')


def _find_name_fault(frame: str) -> str:
    if not frame:
        return "in tf2 frame_ids cannot be empty"
    return "in tf2 frame_ids cannot start with a '/'" if frame.startswith("/") else ""


def _find_latest_stamp(cache: TimeCache | StaticCache) -> int:
    try:
        return cache.find(0).stamp_ns
    except ExtrapolationException:
        return 0


def _climb_transforms(samples: list[Sample]) -> Rigid:
    """Return the transform from the first sample's frame to the last one's parent."""
    total = IDENTITY
    for sample in samples:
        total = compose(sample.transform, total)
    return total


def _read_sample(message: TransformStamped) -> Sample:
    translation, rotation = message.transform.translation, message.transform.rotation
    return Sample(
        _count_nanoseconds(message.header.stamp, "time"),
        message.header.frame_id.removeprefix("/"),
        Rigid(
            (translation.x, translation.y, translation.z),
            normalize_rotation((rotation.x, rotation.y, rotation.z, rotation.w)),
        ),
    )


def _find_faults(child: str, sample: Sample, authority: str) -> list[str]:
    """Return what makes a transform unusable, a sentence each."""
    faults = []
    if child == sample.parent:
        faults.append(
            f'TF_SELF_TRANSFORM: Ignoring transform from authority "{authority}" with frame_id and  child_frame_id '
            f'"{child}" because they are the same'
        )
    if not child:
        faults.append(
            f'TF_NO_CHILD_FRAME_ID: Ignoring transform from authority "{authority}" because child_frame_id not set '
        )
    if not sample.parent:
        faults.append(
            f'TF_NO_FRAME_ID: Ignoring transform with child_frame_id "{child}"  from authority "{authority}" because '
            "frame_id not set"
        )
    if any(math.isnan(number) for number in sample.transform.translation + sample.transform.rotation):
        faults.append(
            f'TF_NAN_INPUT: Ignoring transform for child_frame_id "{child}" from authority "{authority}" because of a '
            f"nan value in the transform {sample.transform.translation} {sample.transform.rotation}"
        )
    return faults


def _count_nanoseconds(time: Time | TimeMessage | Duration, kind: str) -> int:
    """Return the nanoseconds of an rclpy or message time (or duration); TypeError for anything else."""
    if hasattr(time, "sec") and hasattr(time, "nanosec"):
        return time.sec * 10**9 + time.nanosec
    if hasattr(time, "nanoseconds"):
        return time.nanoseconds
    raise TypeError(f"{kind} must have sec and nanosec, or nanoseconds.")


def _make_message(rigid: Rigid, stamp_ns: int, target_frame: str, source_frame: str) -> TransformStamped:
    message = TransformStamped()
    message.header.stamp = Time(nanoseconds=stamp_ns).to_msg()
    message.header.frame_id = target_frame
    message.child_frame_id = source_frame
    translation, rotation = message.transform.translation, message.transform.rotation
    translation.x, translation.y, translation.z = rigid.translation
    rotation.x, rotation.y, rotation.z, rotation.w = normalize_rotation(rigid.rotation)
    return message
