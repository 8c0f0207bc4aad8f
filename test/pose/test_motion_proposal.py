"""What the network says becomes a proposal in the tracker's terms, unless the images contradict it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from sphere_world import CAMERA, SphereWorld, estimate, wander

from endo_depth_ros.contracts import DepthEstimate, Verdict
from endo_depth_ros.geometry.transforms import invert_transform
from endo_depth_ros.pose.lie import exp_se3
from endo_depth_ros.pose.motion_network import MotionNetwork, MotionNetworkConfig
from endo_depth_ros.pose.motion_proposal import MotionProposer, calibrated, measure_unlikeness, prepare
from endo_depth_ros.pose.motion_weights import LoadedMotionWeights, MotionWeightsRecord

CONFIG = MotionNetworkConfig(channels=(8, 8, 8), hidden=8)
RECORD = MotionWeightsRecord(CONFIG, 160, 128, 2.0, 3.0, "recipe", "commit", {}, "Apache-2.0")
WORLD = SphereWorld()
MOTION = invert_transform(wander(0)) @ wander(5)


def seen(index: int) -> DepthEstimate:
    return estimate(*WORLD.look(wander(index)), index)


def test_images_are_most_alike_with_the_true_motion() -> None:
    pair = prepare(seen(0), seen(5), RECORD)
    true = measure_unlikeness(pair, MOTION)
    for twist in 0.02 * np.eye(6):
        twist[3:] *= 0.03
        assert measure_unlikeness(pair, MOTION @ exp_se3(twist)) > 1.2 * true
    assert measure_unlikeness(pair, np.eye(4)) > 2 * true


def test_agreement_does_not_depend_on_the_unit_of_depth() -> None:
    large = replace(seen(0), depth=1000 * seen(0).depth)
    motion = MOTION.copy()
    motion[:3, 3] *= 1000
    there = measure_unlikeness(prepare(large, seen(5), RECORD), motion)
    assert there == pytest.approx(measure_unlikeness(prepare(seen(0), seen(5), RECORD), MOTION), rel=1e-3)


def test_frames_are_prepared_at_the_networks_width_with_a_camera_that_fits() -> None:
    pair = prepare(seen(0), seen(1), replace(RECORD, input_width=80))
    assert pair.images.shape == (1, 2, 3, 64, 80)
    np.testing.assert_allclose(pair.K[0].numpy(), CAMERA.resized(80, 64).K, rtol=1e-6)


def test_the_second_frame_needs_no_depth_and_the_first_one_does() -> None:
    torch.manual_seed(0)
    proposer = MotionProposer(LoadedMotionWeights(MotionNetwork(CONFIG).eval(), RECORD))
    nothing = np.full((128, 160), np.nan, np.float32)
    blind = estimate(seen(5).frame.image, nothing, 5, Verdict.OK)
    assert proposer.propose(seen(0), blind, np.eye(4)) is not None
    assert proposer.propose(blind, seen(0), np.eye(4)) is None


def test_what_the_images_contradict_is_not_proposed() -> None:
    torch.manual_seed(0)
    proposer = MotionProposer(LoadedMotionWeights(MotionNetwork(CONFIG).eval(), RECORD))
    proposal = proposer.propose(seen(0), seen(5), MOTION)
    assert proposal is not None
    assert not proposal.is_possible  # an untrained network against the truth
    assert proposer(seen(0), seen(5), MOTION) is None


def test_the_covariance_is_calibrated_and_rotation_comes_first() -> None:
    covariance = calibrated(np.diag([4.0] * 3 + [25.0] * 3), RECORD)
    np.testing.assert_allclose(np.diag(covariance), [1.0] * 3 + [9 / 25] * 3)
