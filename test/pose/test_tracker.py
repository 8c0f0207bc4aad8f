"""The camera is followed, and where it can't be that is said."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

import numpy as np
import pytest
from sphere_world import RADIUS_M, RATE_NS, SphereWorld, estimate, wander

from endo_depth_ros.contracts import DepthEstimate, TrackingState, Verdict
from endo_depth_ros.geometry.transforms import invert_transform
from endo_depth_ros.pose.lie import exp_se3, log_se3
from endo_depth_ros.pose.motion import MotionPrior
from endo_depth_ros.pose.settings import PoseSettings
from endo_depth_ros.pose.tracker import TrackedFrame, Tracker

BLACK = np.zeros((128, 160, 3), np.uint8)
NOTHING = np.full((128, 160), np.nan, np.float32)
TRACKED = (TrackingState.TRACKING, TrackingState.RELOCALISED)


@lru_cache(maxsize=256)
def look(index: int) -> tuple[np.ndarray, np.ndarray]:
    return SphereWorld().look(wander(index))


@pytest.fixture
def tracker() -> Iterator[Tracker]:
    made = Tracker(PoseSettings(synchronous=True))
    yield made
    made.close()


def walk(tracker: Tracker, frames: range, flicker: float = 0.0) -> list[TrackedFrame]:
    rng = np.random.default_rng(0)
    return [
        tracker.track(estimate(look(i)[0], look(i)[1] * np.float32(np.exp(flicker * rng.normal())), i)) for i in frames
    ]


def darkness(tracker: Tracker, frames: range) -> list[TrackedFrame]:
    return [tracker.track(estimate(BLACK, NOTHING, i, Verdict.DARK)) for i in frames]


def states(frames: list[TrackedFrame]) -> list[TrackingState]:
    return [frame.pose.state for frame in frames]


def error(frame: TrackedFrame, index: int) -> np.ndarray:
    """Twist between the true pose since frame 0 and the tracked one in the map."""
    true = invert_transform(wander(0)) @ wander(index)
    return log_se3(invert_transform(true) @ frame.pose_in_map())


def odom_steps(frames: list[TrackedFrame]) -> np.ndarray:
    poses = [frame.pose.T_odom_camera for frame in frames]
    return np.array([np.linalg.norm((invert_transform(a) @ b)[:3, 3]) for a, b in pairwise(poses)])


def test_the_camera_is_followed(tracker: Tracker) -> None:
    frames = walk(tracker, range(60))
    assert states(frames) == [TrackingState.INITIALISING] + [TrackingState.TRACKING] * 59
    worst = np.abs([error(frame, index) for index, frame in enumerate(frames)]).max(axis=0)
    assert worst[:3].max() < 0.0105
    assert worst[3:].max() < 0.0003
    assert 2 < sum(frame.is_keyframe for frame in frames) < 40


def test_flicker_of_depth_does_not_shake_the_camera(tracker: Tracker) -> None:
    frames = walk(tracker, range(40), flicker=0.03)
    true = [np.linalg.norm((invert_transform(wander(i)) @ wander(i + 1))[:3, 3]) for i in range(39)]
    assert np.abs(odom_steps(frames) - true).max() < 0.0003  # 3 % of 30 mm is 0.9 mm


def test_synchronous_runs_repeat_to_the_bit() -> None:
    first, second = (walk(Tracker(PoseSettings(synchronous=True)), range(15)) for _ in range(2))
    for a, b in zip(first, second, strict=True):
        assert np.array_equal(a.pose.T_odom_camera, b.pose.T_odom_camera)
        assert np.array_equal(a.pose.covariance, b.pose.covariance)


def test_the_thread_finds_the_same_camera() -> None:
    tracker = Tracker(PoseSettings())
    frames = walk(tracker, range(25))
    tracker.close()
    assert np.abs(error(frames[-1], 24)[3:]).max() < 0.0005


def test_bad_frames_are_degraded_then_lost_and_good_ones_bring_the_camera_back(tracker: Tracker) -> None:
    before = walk(tracker, range(10))
    dark = darkness(tracker, range(10, 50))
    after = walk(tracker, range(50, 65))
    assert states(dark[:30]) == [TrackingState.DEGRADED] * 30
    assert states(dark[-8:]) == [TrackingState.LOST] * 8
    assert "dark" in dark[0].reason
    assert not any(frame.is_keyframe for frame in dark)
    assert states(after)[-5:] == [TrackingState.TRACKING] * 5
    sizes = [np.trace(frame.pose.covariance) for frame in dark]
    assert sizes == sorted(sizes)
    assert np.abs(error(after[-1], 64)[3:]).max() < 0.002
    assert odom_steps([*before, *dark, *after]).max() < 0.0015
    assert after[-1].correction >= 1 or after[-1].segment == 0


def test_nothing_is_lost_without_a_degraded_frame_even_after_seconds_without_any(tracker: Tracker) -> None:
    walk(tracker, range(10))
    after_a_gap = darkness(tracker, range(100, 102))
    assert states(after_a_gap) == [TrackingState.DEGRADED, TrackingState.LOST]


def test_a_frozen_image_is_no_still_camera(tracker: Tracker) -> None:
    walk(tracker, range(5))
    image, depth = look(5)
    frozen = [tracker.track(estimate(image, depth, i)) for i in range(5, 13)]
    assert states(frozen[:4]) == [TrackingState.TRACKING] * 4
    assert states(frozen[4:]) == [TrackingState.DEGRADED] * 4
    assert "frozen" in frozen[4].reason
    assert walk(tracker, range(13, 15))[-1].pose.state is TrackingState.TRACKING


def test_noise_for_depth_is_not_tracked(tracker: Tracker) -> None:
    rng = np.random.default_rng(0)
    frames = [
        tracker.track(estimate(look(i)[0], rng.uniform(0.01, 0.06, (128, 160)).astype(np.float32), i))
        for i in range(50)
    ]
    assert not set(states(frames[1:])) & set(TRACKED)
    assert frames[-1].pose.state is TrackingState.LOST


def test_smoke_for_two_seconds_is_told_at_once_and_recovered_from_within_one(tracker: Tracker) -> None:
    before = walk(tracker, range(10))
    veiled = [np.full_like(look(i)[0], 190) + np.uint8(i % 3) for i in range(10, 70)]
    smoke = [tracker.track(estimate(image, NOTHING, 10 + i, Verdict.OBSCURED)) for i, image in enumerate(veiled)]
    after = walk(tracker, range(70, 102))
    assert smoke[0].pose.state is TrackingState.DEGRADED
    assert smoke[-1].pose.state is TrackingState.LOST
    assert set(states(after[29:])) <= set(TRACKED)
    assert odom_steps([*before, *smoke, *after]).max() < 0.0015


def test_frames_dropped_at_random_are_not_missed(tracker: Tracker) -> None:
    kept = [int(i) for i in np.flatnonzero(np.random.default_rng(0).random(70) < 0.5)]
    frames = [tracker.track(estimate(*look(i), i)) for i in kept]
    assert set(states(frames[1:])) == {TrackingState.TRACKING}


def test_half_of_the_frames_are_enough(tracker: Tracker) -> None:
    frames = walk(tracker, range(0, 60, 2))
    assert set(states(frames[1:])) == {TrackingState.TRACKING}


def test_after_a_cut_a_new_segment_begins_and_odom_goes_on(tracker: Tracker) -> None:
    before = walk(tracker, range(10))
    world = SphereWorld(seed=1)
    after = [tracker.track(estimate(*world.look(wander(i)), i)) for i in range(10, 40)]
    assert after[0].pose.state is TrackingState.DEGRADED
    assert after[-1].pose.state is TrackingState.TRACKING
    assert after[-1].segment == 1
    assert odom_steps([*before, *after]).max() < 0.0015


def test_another_scale_epoch_begins_a_segment(tracker: Tracker) -> None:
    walk(tracker, range(5))
    scaled = [tracker.track(estimate(look(i)[0], 2 * look(i)[1], i, epoch=1)) for i in range(5, 10)]
    assert scaled[-1].pose.state is TrackingState.TRACKING
    assert scaled[-1].segment == 1


def test_instruments_carry_no_landmarks(tracker: Tracker) -> None:
    trusted = np.ones((128, 160), bool)
    trusted[:, :80] = False
    frames = []
    for index in range(12):
        image, depth = look(index)
        image = image.copy()
        image[:, :80] = look(0)[0][:, :80]  # an instrument that moves with the camera
        frames.append(tracker.track(estimate(image, depth, index), trusted))
    assert np.abs(error(frames[-1], 11)[3:]).max() < 0.0005


def test_a_proposed_motion_finds_what_jumped(tracker: Tracker) -> None:
    walk(tracker, range(4))
    jump = exp_se3(np.array([0.0, 0.25, 0.0, 0.0, 0.0, 0.0]))
    image, depth = SphereWorld().look(wander(3) @ jump)
    proposal = MotionPrior(jump @ exp_se3(np.full(6, 0.001)), np.diag([0.02**2] * 3 + [0.002**2] * 3))
    frame = tracker.track(estimate(image, depth, 4), motion=proposal)
    assert frame.pose.state is TrackingState.TRACKING
    true = invert_transform(wander(0)) @ wander(3) @ jump
    assert np.abs(log_se3(invert_transform(true) @ frame.pose_in_map())).max() < 0.01


def test_a_proposed_motion_bridges_darkness(tracker: Tracker) -> None:
    walk(tracker, range(5))
    for index in range(5, 20):
        step = MotionPrior(invert_transform(wander(index - 1)) @ wander(index), np.eye(6) * 1e-8)
        frame = tracker.track(estimate(BLACK, NOTHING, index, Verdict.DARK), motion=step)
    assert frame.pose.state is TrackingState.DEGRADED
    assert np.abs(error(frame, 19)[3:]).max() < 0.0005
    assert 1e-7 < frame.pose.covariance[0, 0] < 1e-5  # fifteen steps of 0.1 mm, and the start's


def test_nothing_is_tracked_before_the_first_good_frame(tracker: Tracker) -> None:
    assert states(darkness(tracker, range(3))) == [TrackingState.DEGRADED] * 3
    assert states(walk(tracker, range(3, 5))) == [TrackingState.INITIALISING, TrackingState.TRACKING]


def test_time_that_goes_back_is_refused_until_reset(tracker: Tracker) -> None:
    walk(tracker, range(3))
    with pytest.raises(ValueError, match="reset the tracker"):
        walk(tracker, range(1))
    tracker.reset()
    assert walk(tracker, range(2))[-1].pose.state is TrackingState.TRACKING


def test_relocalise_returns_to_a_known_place(tracker: Tracker) -> None:
    walk(tracker, range(10))
    tracker.relocalise()
    frames = walk(tracker, range(10, 14))
    assert TrackingState.RELOCALISED in states(frames)
    assert np.abs(error(frames[-1], 13)[3:]).max() * 15 < RADIUS_M


def jump(index: int) -> np.ndarray:
    """T_world_camera of a walk that turns by 20 degrees at once at frame 10."""
    turned = exp_se3(np.array([0.0, 0.35, 0.0, 0.0, 0.0, 0.0]))
    return wander(index) @ turned if index >= 10 else wander(index)


def jumping(tracker: Tracker, frames: range, blank: range = range(0)) -> list[TrackedFrame]:
    """Tracked frames of the walk with a jump; in those of `blank` nothing can be followed."""
    tracked = []
    for i in frames:
        image, depth = SphereWorld().look(jump(i))
        if i in blank:
            image = np.full_like(image, 100 + i % 7)
        tracked.append(tracker.track(estimate(image, depth, i)))
    return tracked


def knows_the_way(previous: DepthEstimate, current: DepthEstimate, expected: np.ndarray) -> MotionPrior:
    """A network that is right, and knows how right."""
    start, end = (round((each.frame.stamp_ns - 10**9) / RATE_NS) for each in (previous, current))
    return MotionPrior(invert_transform(jump(start)) @ jump(end), np.diag([1e-6] * 3 + [1e-8] * 3))


def test_a_proposed_motion_finds_the_points_that_moved_too_far() -> None:
    alone, helped = (
        Tracker(PoseSettings(synchronous=True)),
        Tracker(PoseSettings(synchronous=True), propose=knows_the_way),
    )
    assert jumping(alone, range(11))[-1].pose.state is TrackingState.DEGRADED
    frames = jumping(helped, range(20))
    assert states(frames[1:]) == [TrackingState.TRACKING] * 19
    true = invert_transform(jump(0)) @ jump(19)
    assert np.abs(log_se3(invert_transform(true) @ frames[-1].pose_in_map())[3:]).max() < 0.001
    assert frames[-1].correction == 0


def test_nothing_is_proposed_while_points_are_found() -> None:
    def refuse(*_: object) -> None:
        pytest.fail("the network was asked")

    frames = walk(Tracker(PoseSettings(synchronous=True), propose=refuse), range(30))
    assert states(frames[1:]) == [TrackingState.TRACKING] * 29


def test_a_proposed_motion_carries_the_pose_on_for_a_while_with_its_own_covariance() -> None:
    settings = PoseSettings(synchronous=True, motion_carry_s=0.2)
    tracker = Tracker(settings, propose=knows_the_way)
    jumping(tracker, range(8))
    blank = jumping(tracker, range(8, 20), blank=range(8, 20))
    assert states(blank) == [TrackingState.DEGRADED] * len(blank)
    for index in range(6):  # 0.2 s; the camera jumps in the meantime
        true = invert_transform(jump(0)) @ jump(8 + index)
        assert np.abs(log_se3(invert_transform(true) @ blank[index].pose_in_map())).max() < 0.003
    sizes = [np.sqrt(np.trace(frame.pose.covariance[3:, 3:])) for frame in blank]
    assert sizes[5] < 0.02
    assert sizes[8] > 3 * sizes[5]
    after = jumping(tracker, range(20, 22))
    assert after[-1].pose.state in TRACKED


def test_depth_that_is_wrong_is_no_reason_to_believe_a_proposal() -> None:
    def refuse(*_: object) -> None:
        pytest.fail("the network was asked")

    tracker = Tracker(PoseSettings(synchronous=True), propose=refuse)
    walk(tracker, range(5))
    image, depth = look(5)
    doubled = tracker.track(estimate(image, 2 * depth, 5))
    assert doubled.pose.state is TrackingState.DEGRADED
    assert "depth differs" in doubled.reason
