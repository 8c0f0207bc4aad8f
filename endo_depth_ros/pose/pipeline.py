"""Answers of the depth pipeline in, poses out: the one path of pose_node, navigator and command line."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Sequence
from dataclasses import replace
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from endo_depth_ros.contracts import DepthEstimate, Frame, FrameStatus, Scale, Verdict
from endo_depth_ros.depth.pipeline import unanswered
from endo_depth_ros.geometry.camera import Camera, pinhole_from_hfov
from endo_depth_ros.geometry.transforms import Transform
from endo_depth_ros.pose.metric_settings import MetricScaleSettings
from endo_depth_ros.pose.motion_proposal import load_proposer
from endo_depth_ros.pose.refined_depth import refine_depth
from endo_depth_ros.pose.settings import PoseSettings

if TYPE_CHECKING:
    from endo_depth_ros.pose.scale_estimate import MetricScale
    from endo_depth_ros.pose.tracker import TrackedFrame, Tracker
    from endo_depth_ros.pose.window import FactorsMaker

# Stands in until the first camera is known; a frame without depth has no pixels that anybody looks at.
NO_CAMERA = pinhole_from_hfov(16, 16, 60.0)

log = logging.getLogger(__name__)


class PoseUnavailableError(RuntimeError):
    """Camera poses can't be computed on this machine; the text says what is missing."""


class PosePipeline:
    """A tracker that also takes frames without depth. Not thread-safe; `close` at the end."""

    def __init__(self, settings: PoseSettings, others: Sequence[FactorsMaker] = ()) -> None:
        """others: more knowledge about keyframes, such as a robot's kinematics.

        Raises PoseUnavailableError, and WeightsError where the motion network's file can't be used.
        """
        self._tracker, self._settings = create_tracker(settings, others), settings
        self._last_stamp_ns: int | None = None
        self._camera: Camera = NO_CAMERA
        self._scale = Scale()

    def track(self, answer: DepthEstimate | FrameStatus, frame_id: str = "") -> TrackedFrame:
        """The pose of the next frame; of a frame without depth what can be said without seeing.

        frame_id: of a frame without depth. Raises ValueError for a stamp that doesn't rise.
        """
        if isinstance(answer, FrameStatus):
            estimate = self._blind(answer, frame_id)
        else:
            estimate, self._camera, self._scale = answer, answer.frame.camera, answer.status.scale
        stamp_ns = estimate.frame.stamp_ns
        try:
            tracked = self._tracker.track(estimate)
        except Exception as error:  # a frame that breaks the tracker must not end the stream
            if self._last_stamp_ns is not None and stamp_ns <= self._last_stamp_ns:
                raise
            sentence = f"no pose because of {error!r}; please report it"
            log.warning("%s", sentence, exc_info=log.isEnabledFor(logging.DEBUG))
            failed = FrameStatus(stamp_ns, Verdict.INTERNAL_ERROR, sentence)
            tracked = self._tracker.track(self._blind(failed, estimate.frame.frame_id))
        self._last_stamp_ns = stamp_ns
        return tracked

    def refine(self, estimate: DepthEstimate, tracked: TrackedFrame) -> DepthEstimate | None:
        """The depth of a frame in the unit of the map, as the camera's motion has it; None where it wasn't tracked."""
        if tracked.depth_from_motion is None:
            return None
        return refine_depth(estimate, tracked.depth_from_motion, self._settings.shared_error)

    def reset(self) -> None:
        """Forget everything: the next frame is the origin of odom and map."""
        self._tracker.reset()
        self._last_stamp_ns = None

    def relocalise(self) -> None:
        """Look for the camera's place among all known keyframes, from the next good frame on."""
        self._tracker.relocalise()

    def close(self) -> None:
        """Stop the optimiser's thread."""
        self._tracker.close()

    def _blind(self, status: FrameStatus, frame_id: str) -> DepthEstimate:
        """A frame without depth, of the camera and scale that were last seen so that it begins no new segment."""
        camera = self._camera
        image = np.zeros((camera.height, camera.width, 3), np.uint8)
        # Whatever is wrong with it, a frame without depth is no good.
        verdict = Verdict.INVALID_INPUT if status.verdict is Verdict.OK else status.verdict
        frame = Frame(status.stamp_ns, frame_id, image, camera)
        return unanswered(frame, replace(status, verdict=verdict, scale=self._scale))


def create_tracker(settings: PoseSettings, others: Sequence[FactorsMaker] = ()) -> Tracker:
    """A tracker with the motion network of the settings.

    Raises PoseUnavailableError where gtsam is missing, WeightsError where the network's file can't be used.
    """
    make = _import("tracker").Tracker
    tracker: Tracker = make(settings, others, load_proposer(settings.motion_network))
    return tracker


def create_metric_scale(settings: MetricScaleSettings, T_tool_camera: Transform | None) -> MetricScale:
    """What finds the scale; its `factors` are for the pipeline. Raises PoseUnavailableError where gtsam is missing.

    T_tool_camera: about where the camera is on the tool, None for not known.
    """
    metric: MetricScale = _import("scale_estimate").MetricScale(settings, T_tool_camera)
    return metric


def _import(name: str) -> ModuleType:
    """A module of this package that needs gtsam."""
    try:
        return importlib.import_module(f"endo_depth_ros.pose.{name}")
    except ImportError as error:
        raise PoseUnavailableError(str(error)) from error
