"""What was answered to the frames of a recording, on disk, with the truth beside it in the same pixels."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.bags.source import SourceError
from endo_depth_ros.contracts import DepthEstimate, Frame, FrameStatus, TrackingState
from endo_depth_ros.evaluation.depth_metrics import DepthPair
from endo_depth_ros.evaluation.protocol import Protocol
from endo_depth_ros.evaluation.resampling import to_raw_view
from endo_depth_ros.evaluation.truth import rectify_truth
from endo_depth_ros.geometry.camera import Camera
from endo_depth_ros.runs.map_file import MapFile, Place
from endo_depth_ros.runs.truth_topics import Truth

DepthMap = NDArray[np.float32]
NO_PAIR = (np.full((1, 1), np.nan, np.float32),) * 2


@dataclass(frozen=True, eq=False)
class TrackedPose:
    """What the tracker said about a frame.

    T_map_camera: [4, 4] of the rectified camera in the unit of depth, None where it was not tracked. segment: counts
    new beginnings.
    """

    state: TrackingState
    T_map_camera: NDArray[np.float64] | None = None
    segment: int = 0
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Answer:
    """What came back for a frame. latency_ms: what it took, NaN where nobody knows. tracked: None where not asked."""

    depth: DepthEstimate | FrameStatus
    latency_ms: float
    tracked: TrackedPose | None = None


@dataclass(eq=False)
class StoredFrame:
    """What is kept of a frame in memory.

    has_truth: of depth. camera: the rectified pinhole of its depth, None without depth. truth_camera, T_world_camera:
    None without truth. tracked: None without a tracker, and where the frame never came to it.
    """

    number: int
    frame_id: str
    status: FrameStatus
    latency_ms: float
    camera: Camera | None
    has_truth: bool = False
    truth_camera: Camera | None = None
    T_world_camera: NDArray[np.float64] | None = None
    tracked: TrackedPose | None = None

    def true_pose(self) -> NDArray[np.float64] | None:
        """T_world_camera of the rectified camera, [4, 4] in metres."""
        if self.T_world_camera is None or self.truth_camera is None:
            return self.T_world_camera
        T = self.T_world_camera.copy()
        T[:3, :3] = T[:3, :3] @ self.truth_camera.R.T
        return T


@dataclass(frozen=True, eq=False)
class StoredMaps:
    """The answer to a frame: image uint8 [H, W, 3] RGB, depth and sigma float32 [H, W]."""

    image: NDArray[np.uint8]
    depth: DepthMap
    sigma: DepthMap


@dataclass(frozen=True, eq=False)
class StoredTruth:
    """What is kept in memory of the truth of a stamp. depth: where it lies, None where only the pose is known."""

    depth: Place | None
    camera: Camera | None
    T_world_camera: NDArray[np.float64] | None


class PredictionStore:
    """Frames in order; their maps lie in a file, so that memory does not grow with their number.

    While one thread adds answers, another may bring truth and a third walk the frames. `end` says that all answers are
    there, `abandon` that nobody wants them any more.
    """

    def __init__(self, file: MapFile) -> None:
        """file: the caller's to close and remove."""
        self.frames: list[StoredFrame] = []
        self._file = file
        self._by_stamp: dict[int, list[StoredFrame]] = {}
        self._maps: dict[int, tuple[Place, Place, Place]] = {}
        self._truths: dict[int, StoredTruth] = {}
        self._rectified: dict[int, Place] = {}
        self._changed = threading.Condition()
        self._has_pose = self._has_all_truth = self._has_ended = self._is_abandoned = False

    def add(self, answer: Answer) -> None:
        """The answer to the next frame."""
        number, depth = len(self.frames), answer.depth
        if isinstance(depth, FrameStatus):
            frame = StoredFrame(number, "", depth, answer.latency_ms, None, tracked=answer.tracked)
        else:
            frame = StoredFrame(
                number, depth.frame.frame_id, depth.status, answer.latency_ms, depth.frame.camera,
                tracked=answer.tracked,
            )  # fmt: skip
            append = self._file.append
            self._maps[number] = append(depth.frame.image), append(depth.depth), append(depth.sigma)
        with self._changed:
            self.frames.append(frame)
            self._by_stamp.setdefault(frame.status.stamp_ns, []).append(frame)
            self._changed.notify_all()

    def refine(self, number: int, refined: DepthEstimate) -> None:
        """Another depth and sigma of the same pixels for a frame that has depth; the ones before stay on disk."""
        image = self._maps[number][0]
        self._maps[number] = image, self._file.append(refined.depth), self._file.append(refined.sigma)

    def end(self) -> None:
        """There are no more answers."""
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()

    def abandon(self) -> None:
        """Whoever brings truth, walks or waits comes to an end."""
        with self._changed:
            self._is_abandoned = True
            self._changed.notify_all()

    def walk(self) -> Iterator[StoredFrame]:
        """Every frame in order, as it comes."""
        number = 0
        while self._wait_for_frame(number):
            yield self.frames[number]
            number += 1

    def wait_for_pose(self) -> bool:
        """Wait until a true pose is known; False where none ever is."""
        with self._changed:
            self._changed.wait_for(lambda: self._has_pose or self._has_all_truth or self._is_abandoned)
            return self._has_pose and not self._is_abandoned

    def add_truths(self, truths: Iterable[Truth]) -> None:
        """Bring truth, going along with the answers, until all of both are there; other stamps are left out.

        Raises SourceError if none fits.
        """
        count = 0
        try:
            for count, truth in enumerate(truths, 1):
                self._wait_for_frame(count - 1)
                if self._is_abandoned:
                    return
                self._add_truth(truth)
        finally:
            with self._changed:
                self._has_all_truth = True
                self._changed.notify_all()
        with self._changed:
            self._changed.wait_for(lambda: self._has_ended or self._is_abandoned)
        self._settle(count)

    def _wait_for_frame(self, number: int) -> bool:
        """Wait for the frame; False where there is no such one, or nobody wants it."""
        with self._changed:
            self._changed.wait_for(lambda: len(self.frames) > number or self._has_ended or self._is_abandoned)
            return len(self.frames) > number and not self._is_abandoned

    def _add_truth(self, truth: Truth) -> None:
        with self._changed:
            if self._has_ended and truth.stamp_ns not in self._by_stamp:
                return
        place = None if truth.depth is None else self._file.append(truth.depth.astype(np.float32, copy=False))
        self._truths[truth.stamp_ns] = StoredTruth(place, truth.camera, truth.T_world_camera)
        if truth.T_world_camera is not None:
            with self._changed:
                self._has_pose = True
                self._changed.notify_all()

    def _settle(self, count: int) -> None:
        """Give every frame what is true of its stamp. Raises SourceError if none of `count` truths is of a frame."""
        for frame in self.frames:
            truth = self._truths.get(frame.status.stamp_ns)
            if truth is not None:
                frame.has_truth, frame.truth_camera = truth.depth is not None, truth.camera
                frame.T_world_camera = truth.T_world_camera
        if not any(frame.has_truth or frame.T_world_camera is not None for frame in self.frames):
            raise SourceError(
                f"none of {count} true depths or poses has the stamp of one of {len(self.frames)} images; "
                "give truth the stamp of its image"
            )

    def estimate(self, number: int) -> DepthEstimate | None:
        """The answer to a frame, refined where it was, None without depth."""
        stored, maps = self.frames[number], self.maps(number)
        if maps is None or stored.camera is None:
            return None
        frame = Frame(stored.status.stamp_ns, stored.frame_id, maps.image, stored.camera)
        return DepthEstimate(frame, maps.depth, maps.sigma, stored.status)

    def maps(self, number: int) -> StoredMaps | None:
        """The answer to a frame, None without depth."""
        if number not in self._maps:
            return None
        return StoredMaps(*(self._file.read(place) for place in self._maps[number]))

    def depth(self, number: int) -> DepthMap | None:
        """The depth of a frame alone, None without any."""
        return self._file.read(self._maps[number][1]) if number in self._maps else None

    def truth(self, number: int) -> DepthMap:
        """True depth of a frame that has one, in its own pixels."""
        place = self._truths[self.frames[number].status.stamp_ns].depth
        assert place is not None
        return self._file.read(place)

    def truth_in_prediction(self, number: int) -> DepthMap:
        """True depth in the pixels of the frame's prediction; both must be there. Raises SourceError."""
        if number in self._rectified:
            return self._file.read(self._rectified[number])
        frame, truth = self.frames[number], self.truth(number)
        assert frame.camera is not None
        if frame.truth_camera is not None:
            rectified = rectify_truth(truth, frame.truth_camera, frame.camera)
            self._rectified[number] = self._file.append(rectified)
            return rectified
        if truth.shape == (frame.camera.height, frame.camera.width):
            return truth
        raise SourceError(
            f"the true depth is {truth.shape[1]}x{truth.shape[0]} and has no camera_info; record one beside it"
        )

    def pair_in_prediction(self, number: int) -> DepthPair:
        """Prediction and truth in the prediction's pixels, metres; in the truth's where there is no prediction."""
        depth = self.depth(number)
        return nothing_like(self.truth(number)) if depth is None else (depth, self.truth_in_prediction(number))

    def pair_in_truth(self, number: int) -> DepthPair:
        """Prediction and truth in the truth's own pixels, metres."""
        frame, depth = self.frames[number], self.depth(number)
        if depth is None or frame.camera is None:
            return nothing_like(self.truth(number))
        if frame.truth_camera is None:
            return depth, self.truth_in_prediction(number)
        return to_raw_view(depth, frame.camera, frame.truth_camera), self.truth(number)


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
