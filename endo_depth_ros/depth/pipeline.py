"""From a raw image to depth that says what it is worth: the one path of nodes, command line and evaluation."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from endo_depth_ros.contracts import DepthEstimate, Frame, FrameStatus, Scale, ScaleState, Verdict
from endo_depth_ros.depth.device_failure import describe_failure, is_device_failure
from endo_depth_ros.depth.estimator import DepthEstimator, ImageBatch
from endo_depth_ros.depth.host_copy import HostCopy
from endo_depth_ros.depth.known_scale import KnownScale
from endo_depth_ros.depth.models import create_estimator
from endo_depth_ros.depth.scope_window import ScopeWindow, Window, window_mask
from endo_depth_ros.depth.settings import DepthSettings
from endo_depth_ros.depth.stages import AfterStage, Stage, ignore_stage
from endo_depth_ros.depth.steadiness import Steadiness
from endo_depth_ros.depth.verdict import FrameJudge, comparable_width
from endo_depth_ros.depth.working_size import WorkingSize
from endo_depth_ros.geometry.camera import Camera, CameraError, pinhole_from_hfov
from endo_depth_ros.geometry.model_view import ModelView, Rim
from endo_depth_ros.geometry.rectification import Rectification
from endo_depth_ros.imaging.exposure import Exposure, judge_exposure
from endo_depth_ros.imaging.field_of_view import FieldOfView, FieldOfViewTracker
from endo_depth_ros.settings import changed

# Of one raw camera.
Projections = tuple[Rectification, ModelView]

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class View:
    """A frame rectified, and as the model looks at it, with the scope's field of view in both.

    raw: uint8, the part of the raw image that is used. frame, inside: rectified, bool [H, W]. model_inside: bool
    [h, w], of the model's image; rim: of that.
    """

    raw: NDArray[np.uint8]
    frame: Frame
    inside: NDArray[np.bool_]
    model_view: ModelView
    model_inside: NDArray[np.bool_]
    rim: Rim
    field_of_view: FieldOfView

    @cached_property
    def model_image(self) -> NDArray[np.uint8]:
        """What the model looks at, uint8 [h, w, 3], stereographic; made when it is asked for first."""
        return self.model_view.look(self.raw)


@dataclass(frozen=True, eq=False)
class Begun:
    """A frame that was looked at and waits for its depth.

    exposure: of the model's image, None where the verdict is not ok. starts_anew: whether earlier frames have nothing
    to say about it.
    """

    view: View
    status: FrameStatus
    exposure: Exposure | None
    starts_anew: bool


@dataclass(frozen=True, eq=False)
class ModelMaps:
    """What the model said about its image, float32 [h, w]; trusted is positive where it had ground for an answer."""

    depth: NDArray[np.float32]
    sigma: NDArray[np.float32]
    trusted: NDArray[np.float32]


class DepthPipeline:
    """Rectify, find the field of view, judge the frame, estimate, mark what can't be trusted.

    Frames of one camera in order; `reset` after a jump in time. Not thread-safe, but for this: one thread may `begin`
    (and `reset`, `rectify`), another `infer`, a third `complete`. Only `infer` takes no heed of the frames before, so a
    pipeline of the same settings may do it in this one's stead.
    """

    def __init__(
        self,
        settings: DepthSettings,
        warn: Callable[[str], None] = log.warning,
        after_stage: AfterStage = ignore_stage,
    ) -> None:
        """Load and warm up the model. Raises RuntimeError or ValueError with a sentence when that fails.

        warn: takes a sentence when the device fails and work goes on on the CPU. after_stage: called at the end of
        each piece of a stage but the last, which ends with `process`; a stage may come in several pieces.
        """
        self.settings = settings
        self._after_stage = after_stage
        self._warn = warn
        self._host_copy = HostCopy()
        self.estimator = self._create_somewhere()
        self._tracker = FieldOfViewTracker(settings.field_of_view)
        self._working_size = WorkingSize(settings.input_width, settings.input_height, self.estimator.size_multiple)
        self._scope_window = ScopeWindow(self._working_size)
        self._raw_camera: Camera | None = None
        self._projections: Projections | CameraError = CameraError("no camera yet")
        self._inside = self._model_inside = np.zeros((0, 0), np.bool_)
        self._rim = Rim.of(self._model_inside)
        self._field_of_view: FieldOfView | None = None
        self._frame_judge = FrameJudge()
        self._steadiness = Steadiness()
        self._starts_anew = False
        # Replaced as a whole: another thread may do so within a frame.
        self._known_scale = KnownScale(settings.metres_per_unit)

    def warm_up(self) -> None:
        """Take every step once on a made-up scope image, so that the first real one is as fast as the others."""
        width, height = 2 * self.settings.input_width, 2 * self.settings.input_height
        image = np.zeros((height, width, 3), np.uint8)
        cv2.circle(image, (width // 2, height // 2), round(0.45 * height), (150, 100, 90), cv2.FILLED)
        self.process(Frame(0, "", image, pinhole_from_hfov(width, height, 70.0)))
        self.reset()

    def apply(self, settings: DepthSettings) -> None:
        """Use new values of the live settings from the next frame on."""
        self._known_scale = self._known_scale.with_setting(settings.metres_per_unit)
        self.settings = settings

    def use_scale(self, scale: Scale) -> None:
        """Apply a measured scale from the next frame on; metres_per_unit goes before it."""
        self._known_scale = self._known_scale.with_measured(scale)

    def reset(self) -> None:
        """Forget what earlier frames taught."""
        self._tracker.reset()
        self._scope_window.reset()
        self._starts_anew = True
        self._field_of_view = None

    def process(self, frame: Frame) -> DepthEstimate:
        """Depth of one raw frame, at the pipeline's working size. Raises CameraError as `rectify` does."""
        return self.finish(self.begin(frame))

    def begin(self, frame: Frame) -> Begun:
        """All that comes before the model. Raises CameraError as `rectify` does."""
        view = self.rectify(frame)
        image = view.model_image
        self._after_stage(Stage.PREPROCESS)
        status = self._judge(view, comparable_width(view.model_view.camera, frame.camera))
        self._after_stage(Stage.JUDGE)
        exposure = None
        if status.verdict is Verdict.OK:
            levels = self.settings.dark_level, self.settings.saturated_level
            exposure = judge_exposure(image, view.model_inside, *levels)
            self._after_stage(Stage.JUDGE)
        starts_anew, self._starts_anew = self._starts_anew, False
        return Begun(view, status, exposure, starts_anew)

    def finish(self, begun: Begun) -> DepthEstimate:
        """The depth of a frame that was begun; in the order of the frames, and each of them."""
        return self.complete(begun, self.infer(begun))

    def infer(self, begun: Begun) -> ModelMaps | None:
        """What the model says about a frame that was begun; None where the verdict is not ok."""
        if begun.exposure is None:
            return None
        try:
            return self._estimate(begun.view, begun.exposure)
        except RuntimeError as error:
            if self.estimator.device.type == "cpu" or not is_device_failure(error):
                raise
            self._fall_back(error)
            return self._estimate(begun.view, begun.exposure)

    def complete(self, begun: Begun, maps: ModelMaps | None) -> DepthEstimate:
        """The depth of a frame from what `infer` gave; in the order of the frames, and each of them."""
        view, status, exposure = begun.view, begun.status, begun.exposure
        if begun.starts_anew or exposure is None:
            self._steadiness.reset()
        if exposure is None or maps is None:
            return unanswered(view.frame, status)
        unknown = ~(view.model_inside & exposure.good & np.isfinite(maps.depth) & (maps.trusted > 0))
        depth = np.where(unknown, np.float32(np.nan), maps.depth)
        depth, sigma = view.model_view.rectify_depth(depth, maps.sigma, view.rim)
        unknown = ~(view.inside & np.isfinite(depth))
        np.copyto(depth, np.nan, where=unknown)
        steadiness = self._steady(view.frame, depth)
        value = np.float32(status.scale.value * steadiness)
        # Not in place: steadiness keeps the depth for the next frame.
        depth, sigma = depth * value, sigma * value
        if status.scale.state is not ScaleState.RELATIVE:
            unknown |= self._mark_out_of_range(depth)
        np.copyto(sigma, np.nan, where=unknown)
        coverage = share(~unknown, view.inside)
        return DepthEstimate(view.frame, depth, sigma, replace(status, coverage=coverage, steadiness=steadiness))

    def rectify(self, frame: Frame) -> View:
        """The frame as the bounded pinhole image that depth belongs to, and where the scope sees.

        Raises CameraError when the camera shows nothing of the image.
        """
        height, width = frame.image.shape[:2]
        field_of_view = self._tracker.update(frame.image)
        window = Window(0, 0, width, height)
        if self.settings.crop_to_field_of_view:
            window = self._scope_window.update(field_of_view, width, height)
        cut = window.cut(frame)
        rectification, model_view = self._projections_of(cut.camera)
        self._after_stage(Stage.JUDGE)
        if field_of_view is not self._field_of_view:
            self._field_of_view = field_of_view
            mask = window_mask(field_of_view, width, height, window)
            self._inside, self._model_inside = rectification.warp_mask(mask), model_view.look_at_mask(mask)
            self._rim = Rim.of(self._model_inside)
        rectified = Frame(frame.stamp_ns, frame.frame_id, rectification.rectify(cut.image), rectification.camera)
        self._after_stage(Stage.PREPROCESS)
        return View(cut.image, rectified, self._inside, model_view, self._model_inside, self._rim, field_of_view)

    def _projections_of(self, camera: Camera) -> Projections:
        if camera != self._raw_camera:
            self._raw_camera, self._field_of_view = camera, None
            s = self.settings
            try:
                rectification = Rectification(camera, s.input_width, s.input_height, s.rectified_fov_deg)
                self._projections = rectification, ModelView(rectification, self._working_size.of)
            except CameraError as error:
                self._projections = error
        # Refused once, refused for each of its frames, without trying again.
        if isinstance(self._projections, CameraError):
            raise self._projections
        return self._projections

    def _create_somewhere(self) -> DepthEstimator:
        try:
            return create_estimator(self.settings)
        except RuntimeError as error:
            if self.settings.device != "auto" or not is_device_failure(error):
                raise
            self._warn(f"{describe_failure(error)}; working more slowly on the CPU until it is configured anew")
            return create_estimator(on_cpu(self.settings))

    def _estimate(self, view: View, exposure: Exposure) -> ModelMaps:
        batch = self._prepare(view, exposure)
        self._after_stage(Stage.PREPROCESS)
        prediction = self.estimator.estimate(batch)
        self._after_stage(Stage.NETWORK)
        return ModelMaps(*self._host_copy.fetch(prediction.depth[0], prediction.sigma[0], prediction.valid[0]))

    def _fall_back(self, error: RuntimeError) -> None:
        self._warn(f"{describe_failure(error)}; going on more slowly on the CPU until it is configured anew")
        self.estimator = create_estimator(on_cpu(self.settings))

    def _prepare(self, view: View, exposure: Exposure) -> ImageBatch:
        device = self.estimator.device
        images = to_tensor(view.model_image, device)
        inside = torch.from_numpy(view.model_inside).to(device)[None]
        usable = torch.from_numpy(view.model_inside & exposure.good).to(device)[None]
        K = torch.from_numpy(view.model_view.camera.K.astype(np.float32)).to(device)[None]
        return ImageBatch(images, inside, usable, K)

    def _steady(self, frame: Frame, depth: NDArray[np.float32]) -> float:
        """The factor against flicker for this frame's depth, in the model's unit."""
        s = self.settings
        if not s.steadiness:
            self._steadiness.reset()
            return 1.0
        return self._steadiness.correct(frame, depth, s.steadiness_time_s, s.steadiness_limit)

    def _judge(self, view: View, width_px: int) -> FrameStatus:
        verdict, reason = self._frame_judge.judge(view.model_image, view.model_inside, self.settings, width_px)
        return FrameStatus(
            view.frame.stamp_ns,
            verdict,
            reason,
            scale=self.scale(view.frame.camera.calibrated),
            field_of_view=view.field_of_view.shape,
            calibrated=view.frame.camera.calibrated,
            model=self.estimator.name,
        )

    def scale(self, calibrated: bool) -> Scale:
        """What is known about the scale: a factor is metric only if it fits all frames of a calibrated camera."""
        of_model = Scale(self.estimator.scale_state, sigma=self.estimator.scale_sigma)
        return self._known_scale.scale(of_model, calibrated and self.estimator.constant_scale)

    def _mark_out_of_range(self, depth: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Make depth out of range infinite, in place; where."""
        near, far = depth < self.settings.min_depth_m, depth > self.settings.max_depth_m
        np.copyto(depth, -np.inf, where=near)
        np.copyto(depth, np.inf, where=far)
        return near | far


def to_tensor(image: NDArray[np.uint8], device: torch.device) -> Tensor:
    """An RGB image, uint8 [H, W, 3], as float32 [1, 3, H, W] in [0, 1]."""
    if device.type == "cpu":
        return torch.from_numpy(cv2.dnn.blobFromImage(image, 1 / 255))
    # Bytes are fewer to transfer. A copy, because the image may be a read-only view of a message.
    return torch.from_numpy(image.copy()).to(device).permute(2, 0, 1)[None].float() / 255


def on_cpu(settings: DepthSettings) -> DepthSettings:
    """The settings with the CPU's own choices for a network."""
    return changed(settings, {"device": "cpu", "runtime": "auto", "precision": "auto"})


def unanswered(frame: Frame, status: FrameStatus) -> DepthEstimate:
    """The answer to a frame that can't be trusted: no depth anywhere."""
    nothing = np.full(frame.image.shape[:2], np.nan, np.float32)
    return DepthEstimate(frame, nothing, nothing.copy(), replace(status, coverage=0.0))


def share(mask: NDArray[np.bool_], inside: NDArray[np.bool_]) -> float:
    """Fraction of the pixels inside that the mask holds."""
    return int(np.count_nonzero(mask & inside)) / max(int(np.count_nonzero(inside)), 1)
