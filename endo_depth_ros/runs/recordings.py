"""Recordings with truth, of a bag or a sequence of a data set: their frames, and what is true of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from endo_depth_ros.bags.rosbag_source import RosbagSource
from endo_depth_ros.bags.source import SourceFrame
from endo_depth_ros.datasets.truth_sequence import TruthFrame, TruthSequence
from endo_depth_ros.evaluation.protocol import Crop
from endo_depth_ros.runs.truth_topics import Truth, TruthTopics, read_truth_topics


class Recording(Protocol):
    """Frames in order, and their truth by stamp; both may be walked again."""

    @property
    def name(self) -> str:
        """Its name in the report."""

    @property
    def dataset(self) -> str:
        """The data set's name, '' for a bag."""

    @property
    def frame_count(self) -> int | None:
        """Frames that a walk gives, or None where nobody knows."""

    @property
    def relative_truth(self) -> bool:
        """Whether true depth has no unit."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What is known to be wrong or missing, a sentence each."""

    def frames(self) -> Iterator[SourceFrame]:
        """The images, cropped as the protocol has them. Raises SourceError."""

    def truths(self) -> Iterator[Truth]:
        """True depth of images, in the same pixels, and camera poses. Raises SourceError."""


@dataclass(frozen=True)
class BagRecording:
    """One image topic of a bag, and its topics of truth."""

    name: str
    path: Path
    source: RosbagSource
    topics: TruthTopics
    crop: Crop | None = None
    dataset: str = ""
    relative_truth: bool = False

    @property
    def frame_count(self) -> int | None:
        """Images in the bag."""
        return self.source.frame_count

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader has to say about the bag."""
        return (self.source.warning,) if self.source.warning else ()

    def frames(self) -> Iterator[SourceFrame]:
        """See Recording."""
        for frame in self.source:
            yield crop_frame(frame, self.crop)

    def truths(self) -> Iterator[Truth]:
        """See Recording."""
        for truth in read_truth_topics(self.path, self.topics, self.source.image_topic):
            yield crop_truth(truth, self.crop)


@dataclass(frozen=True)
class SequenceRecording:
    """One sequence of a data set. counted: frames, from 0, whose truth counts; None for all."""

    sequence: TruthSequence
    crop: Crop | None = None
    counted: frozenset[int] | None = None

    @property
    def name(self) -> str:
        """The sequence's name."""
        return self.sequence.name

    @property
    def dataset(self) -> str:
        """The data set's name."""
        return self.sequence.dataset

    @property
    def frame_count(self) -> int | None:
        """Frames of the sequence."""
        return self.sequence.frame_count

    @property
    def relative_truth(self) -> bool:
        """Whether its depth has no unit."""
        return self.sequence.relative_depth

    @property
    def notes(self) -> tuple[str, ...]:
        """What is wrong or missing in it."""
        return self.sequence.notes

    def truth_frames(self) -> Iterator[TruthFrame]:
        """Images and truth together, cropped, for a bag of them."""
        for truth in self.sequence:
            yield crop_truth_frame(truth, self.crop)

    def frames(self) -> Iterator[SourceFrame]:
        """See Recording."""
        for truth in self.truth_frames():
            frame = truth.frame
            yield SourceFrame(frame.stamp_ns, frame.frame_id, frame.image, frame.camera)

    def truths(self) -> Iterator[Truth]:
        """See Recording."""
        for index, truth in enumerate(self.truth_frames()):
            counts = self.counted is None or index in self.counted
            depth = truth.depth if counts else None
            if depth is not None or truth.T_world_camera is not None:
                yield Truth(truth.frame.stamp_ns, depth, truth.frame.camera, truth.T_world_camera)


def crop_frame(frame: SourceFrame, crop: Crop | None) -> SourceFrame:
    """The window of the image with its camera. Raises ProtocolError where the image is too small."""
    if crop is None or frame.image is None:
        return frame
    window = crop.window(*frame.image.shape[:2])
    camera = None if frame.camera is None else frame.camera.cropped(crop.x, crop.y, crop.width, crop.height)
    return replace(frame, image=np.ascontiguousarray(frame.image[window]), camera=camera)


def crop_truth(truth: Truth, crop: Crop | None) -> Truth:
    """The window of the depth with its camera. Raises ProtocolError where the depth is too small."""
    if crop is None or truth.depth is None:
        return truth
    window = crop.window(*truth.depth.shape)
    camera = None if truth.camera is None else truth.camera.cropped(crop.x, crop.y, crop.width, crop.height)
    return replace(truth, depth=truth.depth[window], camera=camera)


def crop_truth_frame(truth: TruthFrame, crop: Crop | None) -> TruthFrame:
    """The window of image and depth. Raises ProtocolError where they are too small."""
    if crop is None:
        return truth
    frame = truth.frame
    window = crop.window(*frame.image.shape[:2])
    camera = frame.camera.cropped(crop.x, crop.y, crop.width, crop.height)
    cropped = replace(frame, image=np.ascontiguousarray(frame.image[window]), camera=camera)
    return replace(truth, frame=cropped, depth=None if truth.depth is None else truth.depth[window])
