"""The log of poses keeps the newest ones exactly, and is bounded."""

from __future__ import annotations

import tracemalloc
from unittest import mock

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from endo_depth_ros.contracts import PoseEstimate, TrackingState
from endo_depth_ros.pose import trajectory_log
from endo_depth_ros.pose.tracker import TrackedFrame
from endo_depth_ros.pose.trajectory_log import TrajectoryLog


def tracked(index: int) -> TrackedFrame:
    rng = np.random.default_rng(index)
    T = np.eye(4)
    T[:3, :3], T[:3, 3] = Rotation.from_rotvec(rng.normal(0, 1, 3)).as_matrix(), rng.normal(0, 1, 3)
    pose = PoseEstimate(1000 + index, "scope", TrackingState.TRACKING, T, np.eye(6))
    return TrackedFrame(pose, np.eye(4), 0, 0)


@settings(max_examples=40, deadline=None)
@given(capacity=st.one_of(st.none(), st.integers(1, 30)), count=st.integers(0, 60), spare=st.integers(1, 10))
def test_the_newest_poses_are_kept_bit_by_bit_whenever_the_oldest_are_taken_away(capacity, count, spare):
    log = TrajectoryLog(capacity)
    with mock.patch.object(trajectory_log, "SPARE", spare):
        for index in range(count):
            log.add(tracked(index))
    kept = range(max(0, count - (capacity or count)), count)
    assert len(log) == len(kept)
    trajectory = log.trajectory()
    assert trajectory.stamps_ns.tolist() == [1000 + index for index in kept]
    for T, index in zip(trajectory.T_world_camera, kept, strict=True):
        np.testing.assert_array_equal(T, tracked(index).pose.T_odom_camera)


def test_a_full_log_takes_no_more_memory():
    log, frame = TrajectoryLog(capacity=10), tracked(0)
    tracemalloc.start()
    try:
        for _ in range(20_000):
            log.add(frame)
        kept_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # 104 bytes for each pose that may be there; all of them would be 2 MB.
    assert kept_bytes < 2 * 104 * (10 + trajectory_log.SPARE)
