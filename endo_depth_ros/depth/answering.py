"""The answer to one frame of a source: its depth, or why it has none."""

from __future__ import annotations

from endo_depth_ros.bags.source import SourceFrame, camera_of
from endo_depth_ros.contracts import DepthEstimate, Frame, FrameStatus, Verdict
from endo_depth_ros.depth.pipeline import Begun, DepthPipeline
from endo_depth_ros.geometry.camera import CameraError


def answer(pipeline: DepthPipeline, frame: SourceFrame, hfov_deg: float) -> DepthEstimate | FrameStatus:
    """The depth of one frame, or the status that says why it has none. hfov_deg: assumed lens, 0 for none."""
    begun = begin_answer(pipeline, frame, hfov_deg)
    return begun if isinstance(begun, FrameStatus) else pipeline.finish(begun)


def begin_answer(pipeline: DepthPipeline, frame: SourceFrame, hfov_deg: float) -> Begun | FrameStatus:
    """The same before the model: a frame for `DepthPipeline.finish`, or the status that says why it has no depth."""
    if frame.image is None:
        return FrameStatus(frame.stamp_ns, Verdict.INVALID_INPUT, frame.error, model=pipeline.estimator.name)
    camera = camera_of(frame, frame.image, hfov_deg or None)
    if camera is None:
        return FrameStatus(frame.stamp_ns, Verdict.INVALID_INPUT, frame.camera_error, model=pipeline.estimator.name)
    try:
        return pipeline.begin(Frame(frame.stamp_ns, frame.frame_id, frame.image, camera))
    except CameraError as error:
        return FrameStatus(frame.stamp_ns, Verdict.INVALID_INPUT, str(error), model=pipeline.estimator.name)
