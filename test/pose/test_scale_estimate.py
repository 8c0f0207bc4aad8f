"""Metres from a robot: right, and only when the motion tells."""

from __future__ import annotations

import re

import numpy as np
import pytest
from robot_world import RATE_HZ, START_NS, T_TOOL_CAMERA, RobotWorld, compare_ways, drifting_frames, track, watch

from endo_depth_ros.contracts import Scale, ScaleState
from endo_depth_ros.pose.metric_settings import MetricScaleSettings
from endo_depth_ros.pose.scale_estimate import MetricScale

OFFSET_S, OFFSET_ERROR_S = -0.04, 0.008


def metric_of(world: RobotWorld, **settings: float) -> MetricScale:
    offset_s = world.offset_s + OFFSET_ERROR_S
    return MetricScale(MetricScaleSettings(time_offset_s=offset_s, **settings), world.T_tool_camera_given)


@pytest.mark.parametrize("seed", range(4))
def test_forty_millimetres_make_metres(seed: int) -> None:
    world = RobotWorld(seed, units=0.5 + 0.4 * seed, offset_s=OFFSET_S)
    for travelled, estimate in watch(world, metric_of(world), 8.0):
        if travelled < 0.03:
            assert estimate.scale.state is ScaleState.RELATIVE
        if travelled > 0.045:
            break
    assert estimate.scale.state is ScaleState.METRIC
    assert estimate.scale.epoch == 1
    assert estimate.scale.value == pytest.approx(world.units, rel=0.03)
    assert 0.005 < estimate.scale.sigma / estimate.scale.value < 0.025
    assert "kinematics" in estimate.reason


def test_without_rotation_and_hand_eye_pose_there_are_no_metres() -> None:
    world = RobotWorld(axes=1)
    *_, (_, estimate) = watch(world, MetricScale(), 6.0)
    assert estimate.scale.epoch == 0
    assert "turn it about two axes" in estimate.reason


def test_an_unknown_hand_eye_pose_is_found() -> None:
    world = RobotWorld(units=1.4)
    *_, (_, estimate) = watch(world, MetricScale(), 8.0)
    assert estimate.scale.state is ScaleState.METRIC
    assert estimate.scale.value == pytest.approx(1.4, rel=0.03)


def test_a_constant_counts_at_once_and_stays() -> None:
    metric = MetricScale(MetricScaleSettings(constant=0.02, constant_sigma=0.1))
    assert metric.estimate.scale == Scale(ScaleState.METRIC, 0.02, 0.002, epoch=1)
    world = RobotWorld(axes=0)
    *_, (_, estimate) = watch(world, metric, 1.0)
    assert estimate.scale == metric.estimate.scale == Scale(ScaleState.METRIC, 0.02, 0.002, epoch=1)


def test_without_kinematics_the_models_own_scale_is_passed_on() -> None:
    metric = MetricScale()
    nominal = Scale(ScaleState.NOMINAL, 1.0, 0.1)
    for tracked in drifting_frames(RobotWorld(), 0, 2, nominal):
        assert metric.update(tracked).scale == nominal


def test_an_uncalibrated_camera_is_never_metric() -> None:
    world = RobotWorld()
    metric = metric_of(world)
    world.report_kinematics(metric, 0, 8)
    for tracked in drifting_frames(world, 0, 7, Scale()):
        estimate = metric.update(tracked, calibrated=False)
    assert estimate.scale.state is ScaleState.NOMINAL
    assert estimate.scale.epoch >= 1
    assert "uncalibrated" in estimate.reason


def test_depth_of_another_unit_begins_another_epoch() -> None:
    world = RobotWorld(units=0.7)
    metric = metric_of(world)
    *_, (_, before) = watch(world, metric, 7.0)
    world.units = 0.9
    metric.reset()
    *_, (_, after) = watch(world, metric, 9.0)
    assert after.scale.epoch > before.scale.epoch >= 1
    assert after.scale.value == pytest.approx(0.9, rel=0.03)


def test_robot_and_vision_together_are_better_than_either() -> None:
    world, again = RobotWorld(units=0.7, offset_s=OFFSET_S), RobotWorld(units=0.7, offset_s=OFFSET_S)
    metric = metric_of(world)
    *_, (_, estimate) = watch(world, metric, 7.0)
    errors = compare_ways(world, again, metric, estimate.scale)
    assert errors[0] < min(errors[1:])
    assert metric.estimate.latest is not None
    assert np.exp(metric.estimate.latest.log_scale) == pytest.approx(0.7, rel=0.03)


@pytest.mark.parametrize("seed", range(3))
def test_they_are_where_the_scale_of_depth_wanders_from_place_to_place(seed: int) -> None:
    world, again = (RobotWorld(seed, units=0.7, offset_s=OFFSET_S, wander=0.25) for _ in range(2))
    metric = metric_of(world)
    *_, (_, estimate) = watch(world, metric, 7.0)
    errors = compare_ways(world, again, metric, estimate.scale)
    assert errors[0] < 0.7 * min(errors[1:])


def test_depth_that_is_off_within_an_epoch_is_told() -> None:
    world = RobotWorld(units=0.7, offset_s=OFFSET_S)
    metric = metric_of(world)
    *_, (_, estimate) = watch(world, metric, 7.0)
    world.report_kinematics(metric, 7.9, 8.0)
    world.units = 0.56  # depth is 25 % too large by the scale that is believed
    track(world, metric, range(8 * RATE_HZ, 12 * RATE_HZ), estimate.scale)
    assert metric.estimate.scale.epoch == estimate.scale.epoch
    assert re.match(r"depth is \+2\d% off by the robot", metric.estimate.reason), metric.estimate.reason


def test_a_robot_of_another_time_is_told_with_the_difference() -> None:
    world, metric = RobotWorld(), MetricScale(MetricScaleSettings(time_offset_s=-30.0))
    reasons = {estimate.reason for _, estimate in watch(world, metric, 5.0)}
    assert any(
        "no poses of the robot around an image's time" in reason and "time_offset_s" in reason for reason in reasons
    )


def test_a_robot_in_millimetres_is_told() -> None:
    world, metric = RobotWorld(), MetricScale(T_tool_camera=T_TOOL_CAMERA)
    for each in drifting_frames(world, 0, 4.0, Scale()):
        t = (each.pose.stamp_ns - START_NS) / 1e9
        for k in range(4):
            T = world.sample_kinematics(t + 0.0167 * k).copy()
            T[:3, 3] *= 1000
            metric.add_kinematics(START_NS + round((t + 0.0167 * k) * 1e9), T)
        reason = metric.update(each).reason
    assert "not in metres" in reason
