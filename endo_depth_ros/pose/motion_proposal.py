"""Proposals for the motion between two frames: the motion network's, where the images don't contradict them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from endo_depth_ros.contracts import DepthEstimate
from endo_depth_ros.geometry.transforms import Transform, invert_transform
from endo_depth_ros.pose.covariance import symmetric
from endo_depth_ros.pose.lie import Array
from endo_depth_ros.pose.motion import MotionPrior
from endo_depth_ros.pose.motion_network import FINE, SIZE_MULTIPLE, Grid, network_input, sample_at
from endo_depth_ros.pose.motion_weights import (
    SHIPPED_MOTION_WEIGHTS,
    LoadedMotionWeights,
    MotionWeightsRecord,
    load_motion_weights,
)
from endo_depth_ros.pose.rigid_fit import move, project

SHIPPED, NO_NETWORK = "endo_motion_small", "none"
# Of the cells of the first frame; with fewer neither motion nor agreement means anything.
LEAST_KNOWN = 0.1
# Of the difference between the images that an expected motion leaves, what a proposal may leave. In renderings motion
# that was found leaves up to 1.07 of it, as light and highlights move too, one that is quite wrong 1.35.
CONTRADICTED = 1.1


@dataclass(frozen=True)
class MotionProposal:
    """motion: what the network proposes. gain, offset: what makes the second image as bright as the first, of white.

    unlikeness, unlikeness_expected: mean difference of evened-out colours with the proposed and the expected motion.
    """

    motion: MotionPrior
    gain: float
    offset: float
    unlikeness: float
    unlikeness_expected: float

    @property
    def is_possible(self) -> bool:
        """Whether the images agree with it about as well as with what was expected, or better."""
        return self.unlikeness < CONTRADICTED * self.unlikeness_expected


@dataclass(frozen=True)
class PreparedPair:
    """What the network takes: see there."""

    images: Tensor
    inside: Tensor
    log_depth: Tensor
    K: Tensor


class MotionProposer:
    """Asks the network; 3.4 times as dear as to track a frame (docs/benchmarks.md), so only when it is needed."""

    def __init__(self, weights: LoadedMotionWeights) -> None:
        self._network, self._record = weights.network, weights.record

    def __call__(self, previous: DepthEstimate, current: DepthEstimate, expected: Transform) -> MotionPrior | None:
        """The network's motion, None where the images contradict it."""
        proposal = self.propose(previous, current, expected)
        return proposal.motion if proposal is not None and proposal.is_possible else None

    @torch.inference_mode()
    def propose(self, previous: DepthEstimate, current: DepthEstimate, expected: Transform) -> MotionProposal | None:
        """The motion between two frames of one camera; None where too little depth is known.

        expected: T_previous_current that the proposal is compared with.
        """
        pair = prepare(previous, current, self._record)
        if pair.inside[:, 0, ::FINE, ::FINE].float().mean() < LEAST_KNOWN:
            return None
        answer = self._network(pair.images, pair.inside, pair.log_depth, pair.K)
        T = answer.T_first_second[0].double().numpy()
        motion = MotionPrior(T, calibrated(answer.information[0].double().numpy(), self._record))
        gain, offset = float(answer.gain[0]), float(answer.offset[0])
        return MotionProposal(motion, gain, offset, measure_unlikeness(pair, T), measure_unlikeness(pair, expected))


def calibrated(information: Array, record: MotionWeightsRecord) -> Array:
    """Covariance [6, 6] of the network's inverse covariance: neighbouring matches err together, so it is too sure."""
    factors = np.repeat([record.turn_factor, record.shift_factor], 3)
    covariance = np.asarray(np.linalg.inv(information), np.float64)
    return symmetric(covariance * np.outer(factors, factors))


def prepare(previous: DepthEstimate, current: DepthEstimate, record: MotionWeightsRecord) -> PreparedPair:
    """Both frames at the network's width, as a batch of one."""
    camera = previous.frame.camera
    width = record.input_width
    rows = camera.height * width / camera.width / SIZE_MULTIPLE
    height = SIZE_MULTIPLE * max(1, round(rows))
    images = [
        cv2.resize(each.frame.image, (width, height), interpolation=cv2.INTER_AREA) for each in (previous, current)
    ]
    depths = [cv2.resize(each.depth, (width, height), interpolation=cv2.INTER_NEAREST) for each in (previous, current)]
    known = np.isfinite(depths)
    if not known[1].any():
        known[1] = known[0]  # the scope sees where it saw; only the first frame's depth is needed
    log_depth = np.log(np.where(np.isfinite(depths[0]) & (depths[0] > 0), depths[0], 1.0)).astype(np.float32)
    return PreparedPair(
        images=torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)[None].float() / 255,
        inside=torch.from_numpy(known)[None],
        log_depth=torch.from_numpy(log_depth)[None],
        K=torch.from_numpy(camera.resized(width, height).K.astype(np.float32))[None],
    )


def measure_unlikeness(pair: PreparedPair, T_first_second: Transform) -> float:
    """Mean difference of evened-out colours of points that both frames show; 1 where they show none in common."""
    evened = network_input(pair.images, pair.inside.float())
    relative = pair.log_depth
    grid = Grid.of(relative, pair.inside, pair.K, 2)
    # Lengths in units in which no point is nearer than the fit's nearest.
    unit = float(grid.points[..., 2][grid.known.flatten(1)].median())
    T = invert_transform(T_first_second)
    T[:3, 3] /= unit
    points = move(torch.from_numpy(T.astype(np.float32))[None], grid.points / unit)
    pixels = project(points, pair.K)
    second, within = sample_at(evened[:, 1], pixels)
    counts = grid.known.flatten(1) & within & (second[:, -1] > 0.99) & (points[..., 2] > 0)
    if counts.float().mean() < LEAST_KNOWN:
        return 1.0
    first = evened[:, 0, :, :: grid.stride, :: grid.stride].flatten(2)
    difference = (first - second)[:, :-1].abs().mean(1).clamp_max(1)
    return float(difference[counts].mean())


def load_proposer(motion_network: str) -> MotionProposer | None:
    """What the setting of that name asks for. Raises WeightsError."""
    if motion_network == NO_NETWORK:
        return None
    path = SHIPPED_MOTION_WEIGHTS if motion_network == SHIPPED else Path(motion_network).expanduser()
    return MotionProposer(load_motion_weights(path))
