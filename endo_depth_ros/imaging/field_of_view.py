"""The lit field of view of a scope: a disc, an octagon, a rectangle, or the whole image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.imaging.outline import Outline
from endo_depth_ros.imaging.outline_fit import find_outline

DEFAULT_MARGIN_PX = 1.0
WORKING_SIZE_PX = 320
# A frame tells something when some of it is lit, and not nearly all of it saturated.
LIT_LEVEL, MIN_LIT_FRACTION = 50, 0.03
SATURATED_LEVEL, MAX_SATURATED_FRACTION = 250, 0.7
MIN_FRAMES_FOR_SECOND = 3
COMPARISON_SIZE = (160, 128)
SAME_IOU = 0.975

Brightness = NDArray[np.uint8]


@dataclass(frozen=True)
class FieldOfView:
    """Where the scope shows tissue, in image coordinates from 0 to 1 (outer edges of the outer pixels).

    shape: disc, octagon, rectangle or none (the whole image). box: left, top, right, bottom. centre, radius: of the
    disc, (x, y) each, infinite radius for the others. cuts: legs (x, y) of the triangles missing at the box's corners,
    clockwise from the top left. dents: see Outline.
    """

    shape: str = "none"
    box: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
    centre: tuple[float, float] = (0.5, 0.5)
    radius: tuple[float, float] = (math.inf, math.inf)
    cuts: tuple[tuple[float, float], ...] = ((0.0, 0.0),) * 4
    dents: tuple[float, ...] = ()

    def mask(self, width: int, height: int, margin_px: float = DEFAULT_MARGIN_PX) -> NDArray[np.bool_]:
        """Bool [height, width], True inside; the border, not the image's edge, moves in by margin_px of its pixels."""
        x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
        return np.asarray(self._outline(width, height).distance(x, y) <= -margin_px, np.bool_)

    def overlap(self, other: FieldOfView) -> float:
        """Intersection over union of the two, 0 to 1."""
        one, two = self.mask(*COMPARISON_SIZE, 0.0), other.mask(*COMPARISON_SIZE, 0.0)
        return float((one & two).sum() / max(1, (one | two).sum()))

    def _outline(self, width: int, height: int) -> Outline:
        left, top, right, bottom = self.box
        return Outline(
            (width, height),
            (left * width, top * height, right * width, bottom * height),
            (self.centre[0] * width, self.centre[1] * height),
            (self.radius[0] * width, self.radius[1] * height),
            tuple((x * width, y * height) for x, y in self.cuts),
            self.dents,
        )


WHOLE_IMAGE = FieldOfView()


def find_field_of_view(images: Sequence[NDArray[np.uint8]]) -> FieldOfView:
    """The field of view that these frames of one camera share; images: uint8 [H, W, 3], RGB, all of one size.

    Several frames are better than one: what is dark in one of them is lit in another. Shape none where no border is
    found, and where no frame is bright enough to tell.
    """
    usable = [brightness for brightness in map(measure_brightness, images) if _tells_something(brightness)]
    return _find(usable) or WHOLE_IMAGE


def measure_brightness(image: NDArray[np.uint8]) -> Brightness:
    """Largest channel of an RGB image, averaged down to at most 320 pixels a side: uint8 [h, w]."""
    scale = WORKING_SIZE_PX / max(image.shape[:2])
    if scale < 1:
        size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    red, green, blue = cv2.split(image)
    return np.asarray(cv2.max(cv2.max(red, green), blue), np.uint8)


def _tells_something(brightness: Brightness) -> bool:
    lit = np.count_nonzero(brightness >= LIT_LEVEL) / brightness.size
    saturated = np.count_nonzero(brightness >= SATURATED_LEVEL) / brightness.size
    return bool(lit >= MIN_LIT_FRACTION and saturated <= MAX_SATURATED_FRACTION)


def _find(frames: Sequence[Brightness]) -> FieldOfView | None:
    """The field of view of usable frames, or None where they don't tell."""
    outline = find_outline(_second_brightest(frames)) if frames else None
    if outline is None:
        return None
    if outline.shape == WHOLE_IMAGE.shape:
        return WHOLE_IMAGE
    width, height = outline.size
    left, top, right, bottom = outline.box
    return FieldOfView(
        outline.shape,
        (left / width, top / height, right / width, bottom / height),
        (outline.centre[0] / width, outline.centre[1] / height),
        (outline.radius[0] / width, outline.radius[1] / height),
        tuple((x / width, y / height) for x, y in outline.cuts),
        outline.dents,
    )


def _second_brightest(frames: Sequence[Brightness]) -> Brightness:
    """Each pixel's second largest value over time: dark moments don't count, nor does a single flash."""
    first, second = frames[0], np.zeros_like(frames[0])
    for frame in frames[1:]:
        second = np.asarray(cv2.max(second, cv2.min(first, frame)), np.uint8)
        first = np.asarray(cv2.max(first, frame), np.uint8)
    return second if len(frames) >= MIN_FRAMES_FOR_SECOND else first


class FieldOfViewTracker:
    """Follows the field of view through a video: provisional from the first frame on, firm after `frames`.

    Afterwards it looks again every `recheck_every` frames at the `frames` latest, and changes its mind when two looks
    in a row agree on another field of view. Dark, saturated and unclear frames change nothing.
    """

    def __init__(self, mode: str = "auto", frames: int = 10, recheck_every: int = 60) -> None:
        """mode: auto, or none for the whole image. Raises ValueError for other modes."""
        if mode not in ("auto", "none"):
            raise ValueError(f"field of view '{mode}' is unknown; choose auto or none")
        self._mode = mode
        self._frames = frames
        self._recheck_every = max(recheck_every, frames)
        self.reset()

    def reset(self) -> None:
        """Forget everything, for another video or scope."""
        self._field = WHOLE_IMAGE
        self._candidate: FieldOfView | None = None
        self._recent: list[Brightness] = []
        self._firm = False
        self._wait = 0

    def update(self, image: NDArray[np.uint8]) -> FieldOfView:
        """Take in the next frame, uint8 [H, W, 3] RGB, and return the field of view to use for it."""
        if self._mode == "none":
            return WHOLE_IMAGE
        if self._wait > 0:
            self._wait -= 1
            return self._field
        brightness = measure_brightness(image)
        if self._recent and brightness.shape != self._recent[0].shape:
            self.reset()
        if _tells_something(brightness):
            self._recent.append(brightness)
            self._look()
        return self._field

    def _look(self) -> None:
        count = len(self._recent)
        if not self._firm and count & (count - 1) == 0:
            self._field = _find(self._recent) or self._field
        if count < self._frames:
            return
        found = _find(self._recent)
        self._recent = []
        if self._firm:
            self._weigh(found)
        elif found is not None:
            self._field, self._firm = found, True
        # A change is confirmed on the very next frames; an unclear look at the start is soon repeated.
        rest = self._recheck_every - self._frames if self._firm else self._frames
        self._wait = 0 if self._candidate else rest

    def _weigh(self, found: FieldOfView | None) -> None:
        """Take a found field of view that differs from the present one, once it is found twice."""
        if found is None or found.overlap(self._field) >= SAME_IOU:
            self._candidate = None
        elif self._candidate is not None and found.overlap(self._candidate) >= SAME_IOU:
            self._field, self._candidate = found, None
        else:
            self._candidate = found
