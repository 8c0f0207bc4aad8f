"""What was answered to the frames of a recording, on disk, with the truth beside it in the same pixels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.bags.source import SourceError
from endo_depth_ros.contracts import DepthEstimate, FrameStatus
from endo_depth_ros.evaluation.depth_metrics import DepthPair
from endo_depth_ros.evaluation.protocol import Protocol
from endo_depth_ros.evaluation.resampling import to_raw_view
from endo_depth_ros.evaluation.truth import rectify_truth
from endo_depth_ros.geometry.camera import Camera
from endo_depth_ros.runs.truth_topics import Truth

DepthMap = NDArray[np.float32]
NO_PAIR = (np.full((1, 1), np.nan, np.float32),) * 2


@dataclass(eq=False)
class StoredFrame:
    """What is kept of a frame in memory.

    camera: the rectified pinhole of its depth, None without depth. truth_camera, T_world_camera: None without truth.
    """

    number: int
    status: FrameStatus
    latency_ms: float
    camera: Camera | None
    has_truth: bool = False
    truth_camera: Camera | None = None
    T_world_camera: NDArray[np.float64] | None = None


@dataclass(frozen=True, eq=False)
class StoredMaps:
    """The answer to a frame: image uint8 [H, W, 3] RGB, depth and sigma float32 [H, W]."""

    image: NDArray[np.uint8]
    depth: DepthMap
    sigma: DepthMap


class PredictionStore:
    """Frames in order; a file each, so that memory does not grow with their number."""

    def __init__(self, folder: Path) -> None:
        """folder: empty, and the caller's to remove."""
        self.frames: list[StoredFrame] = []
        self._folder = folder
        self._by_stamp: dict[int, list[StoredFrame]] = {}

    def add(self, answer: DepthEstimate | FrameStatus, latency_ms: float) -> None:
        """The answer to the next frame. latency_ms: what it took, NaN where nobody knows."""
        number = len(self.frames)
        if isinstance(answer, FrameStatus):
            frame = StoredFrame(number, answer, latency_ms, None)
        else:
            frame = StoredFrame(number, answer.status, latency_ms, answer.frame.camera)
            np.savez(self._maps(number), image=answer.frame.image, depth=answer.depth, sigma=answer.sigma)
        self.frames.append(frame)
        self._by_stamp.setdefault(frame.status.stamp_ns, []).append(frame)

    def add_truths(self, truths: Iterable[Truth]) -> None:
        """The truth of frames added before; a stamp without a frame is left out. Raises SourceError if none fits."""
        count = 0
        for truth in truths:
            count += 1
            for frame in self._by_stamp.get(truth.stamp_ns, []):
                frame.has_truth = True
                frame.truth_camera = truth.camera
                frame.T_world_camera = truth.T_world_camera
                np.save(self._truth(frame.number), truth.depth)
        if not any(frame.has_truth for frame in self.frames):
            raise SourceError(
                f"none of {count} true depths has the stamp of one of {len(self.frames)} images; "
                "give truth the stamp of its image"
            )

    def maps(self, number: int) -> StoredMaps | None:
        """The answer to a frame, None without depth."""
        if self.frames[number].camera is None:
            return None
        with np.load(self._maps(number)) as saved:
            return StoredMaps(saved["image"], saved["depth"], saved["sigma"])

    def truth(self, number: int) -> DepthMap:
        """True depth of a frame that has one, in its own pixels."""
        return np.asarray(np.load(self._truth(number)), np.float32)

    def truth_in_prediction(self, number: int) -> DepthMap:
        """True depth in the pixels of the frame's prediction; both must be there. Raises SourceError."""
        frame = self.frames[number]
        truth = self.truth(number)
        assert frame.camera is not None
        if frame.truth_camera is not None:
            return rectify_truth(truth, frame.truth_camera, frame.camera)
        if truth.shape == (frame.camera.height, frame.camera.width):
            return truth
        raise SourceError(
            f"the true depth is {truth.shape[1]}x{truth.shape[0]} and has no camera_info; record one beside it"
        )

    def pair_in_prediction(self, number: int) -> DepthPair:
        """Prediction and truth in the prediction's pixels, metres; in the truth's where there is no prediction."""
        maps = self.maps(number)
        if maps is None:
            return nothing_like(self.truth(number))
        return maps.depth, self.truth_in_prediction(number)

    def pair_in_truth(self, number: int) -> DepthPair:
        """Prediction and truth in the truth's own pixels, metres."""
        frame, maps, truth = self.frames[number], self.maps(number), self.truth(number)
        if maps is None or frame.camera is None:
            return nothing_like(truth)
        if frame.truth_camera is None:
            return maps.depth, self.truth_in_prediction(number)
        return to_raw_view(maps.depth, frame.camera, frame.truth_camera), truth

    def _maps(self, number: int) -> Path:
        return self._folder / f"{number:06d}.npz"

    def _truth(self, number: int) -> Path:
        return self._folder / f"{number:06d}_truth.npy"


class ProtocolPairs:
    """(prediction, truth) of every frame in the protocol's unit and pixels, read from disk on each walk.

    A frame without truth is a pair of NaN, so that places are the store's numbers.
    """

    def __init__(self, store: PredictionStore, protocol: Protocol) -> None:
        """Any number of these may read one store."""
        self._store, self._protocol = store, protocol
        self._pair = store.pair_in_truth if protocol.pixels == "truth" else store.pair_in_prediction

    def __iter__(self) -> Iterator[DepthPair]:
        """Walk from the first frame."""
        for frame in self._store.frames:
            prediction, truth = self._pair(frame.number) if frame.has_truth else NO_PAIR
            yield self._protocol.in_unit(prediction), self._protocol.in_unit(truth)


def nothing_like(truth: DepthMap) -> DepthPair:
    """No prediction anywhere, and the truth."""
    return np.full_like(truth, np.nan), truth
