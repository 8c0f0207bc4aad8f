"""Answers to a known scene that are wrong in a known way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ellipsoid_scene import CAMERA, views

from endo_depth_ros.bags.source import SourceFrame
from endo_depth_ros.contracts import DepthEstimate, Frame, FrameStatus, Scale, ScaleState, Verdict
from endo_depth_ros.evaluation.protocol import Protocol
from endo_depth_ros.runs.prediction_store import Answer
from endo_depth_ros.runs.recording_run import evaluate_recording
from endo_depth_ros.runs.truth_topics import Truth

FRAME_NS = 40_000_000
METRES = Protocol("metres", "In metres", "Eigen et al.", unit="m", alignment="none", pixels="prediction")


@dataclass(frozen=True)
class KnownRecording:
    """The ellipsoid from a number of poses. truth_offset_ns: how far the stamps of its truth are off."""

    count: int = 6
    truth_offset_ns: int = 0
    name: str = "ellipsoid"
    dataset: str = ""
    relative_truth: bool = False
    notes: tuple[str, ...] = ()

    @property
    def frame_count(self):
        return self.count

    def frames(self):
        for index, (_, _, image) in enumerate(views(CAMERA, self.count)):
            yield SourceFrame(index * FRAME_NS, "scope", image, CAMERA)

    def truths(self):
        for index, (T, depth, _) in enumerate(views(CAMERA, self.count)):
            yield Truth(index * FRAME_NS + self.truth_offset_ns, depth.astype(np.float32), CAMERA, T)


def true_depths(count=6):
    """float32 [N, H, W], metres."""
    return np.array([depth for _, depth, _ in views(CAMERA, count)], np.float32)


def answers_with(depths, sigma=0.001, state=ScaleState.NOMINAL):
    """An answer for each depth [N, H, W]; None is a frame without."""
    for index, (depth, (_, _, image)) in enumerate(zip(depths, views(CAMERA, len(depths)), strict=True)):
        if depth is None:
            yield Answer(FrameStatus(index * FRAME_NS, Verdict.INVALID_INPUT, "no camera"), 1.0)
            continue
        depth = np.asarray(depth, np.float32)
        status = FrameStatus(index * FRAME_NS, Verdict.OK, coverage=1.0, scale=Scale(state), model="known")
        frame = Frame(index * FRAME_NS, "scope", image, CAMERA)
        yield Answer(DepthEstimate(frame, depth, np.full_like(depth, sigma), status), 2.0)


def evaluate_known(depths, tmp_path, protocol=METRES, recording=None, **answers):
    """The result of answers `depths` on the ellipsoid."""
    recording = recording or KnownRecording(len(depths))
    return evaluate_recording(recording, answers_with(depths, **answers), protocol, None, tmp_path)
