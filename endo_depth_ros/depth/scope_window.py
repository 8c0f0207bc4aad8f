"""The window of a raw image that holds what the scope lights, so that few pixels are spent on its border."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.contracts import Frame
from endo_depth_ros.depth.working_size import WorkingSize
from endo_depth_ros.imaging.field_of_view import FieldOfView

# Around the field of view, in image sides; up to half of it goes where that makes a window of whole pixels.
MARGIN = 0.01
# A scale this close to a whole one becomes it: averaging over whole pixels is several times faster.
NEARLY_WHOLE = 0.03
# Of the image: a window that saves less than this is not worth another camera.
MOST_AREA = 0.85
# A window is kept while it holds the field of view and is at most so much larger than it would have to be.
SLACK = 1.15
MASK_SIDE_PX = 640


@dataclass(frozen=True)
class Window:
    """Columns x to x + width and rows y to y + height of an image, pixels."""

    x: int
    y: int
    width: int
    height: int

    def part_of(self, picture: NDArray[Any]) -> NDArray[Any]:
        """A view on the window of a picture [H, W, ...]."""
        return picture[self.y : self.y + self.height, self.x : self.x + self.width]

    def cut(self, frame: Frame) -> Frame:
        """What the frame shows in the window, with the camera of just that; a view, nothing is copied."""
        image = self.part_of(frame.image)
        if image.shape == frame.image.shape:
            return frame
        camera = frame.camera.cropped(self.x, self.y, self.width, self.height)
        return Frame(frame.stamp_ns, frame.frame_id, image, camera)

    def holds(self, other: Window) -> bool:
        """Whether the other window lies within this one."""
        return (
            self.x <= other.x
            and self.y <= other.y
            and other.x + other.width <= self.x + self.width
            and other.y + other.height <= self.y + self.height
        )

    @property
    def area(self) -> int:
        """Number of pixels."""
        return self.width * self.height


class ScopeWindow:
    """Follows the field of view, but moves seldom: every move is another camera to those who read the depth."""

    def __init__(self, size: WorkingSize) -> None:
        """size: of the rectified image."""
        self._working_size = size
        self.reset()

    def reset(self) -> None:
        """Forget the window, for another video or scope."""
        self._window: Window | None = None
        self._size = (0, 0)

    def update(self, field: FieldOfView, width: int, height: int) -> Window:
        """The window to use for an image of this size in which the scope lights `field`."""
        wanted = fit_window(field, width, height, self._working_size)
        kept, held = self._window, frame_field(field, width, height, 0.0)
        if kept is None or self._size != (width, height) or not kept.holds(held) or kept.area > SLACK * wanted.area:
            self._window, self._size = wanted, (width, height)
            return wanted
        return kept


def fit_window(field: FieldOfView, width: int, height: int, size: WorkingSize) -> Window:
    """A window around the field of view of the working size's shape, or the whole image."""
    roomy, needed = (frame_field(field, width, height, margin) for margin in (MARGIN, MARGIN / 2))
    if roomy.area >= MOST_AREA * width * height:
        return Window(0, 0, width, height)
    across, down = size.of(roomy.width, roomy.height)
    scale = max(1.0, needed.width / across, needed.height / down)
    if math.ceil(scale) - scale < NEARLY_WHOLE * scale:
        scale = math.ceil(scale)
    step = mask_step(width, height)
    x, w = _stretch(needed.x, needed.width, scale * across, width, step)
    y, h = _stretch(needed.y, needed.height, scale * down, height, step)
    return Window(x, y, w, h)


def frame_field(field: FieldOfView, width: int, height: int, margin: float) -> Window:
    """The least window around the field of view and a margin (in image sides); its corners lie on mask pixels."""
    step = mask_step(width, height)
    left, top = (max(low, c - r) for low, c, r in zip(field.box[:2], field.centre, field.radius, strict=True))
    right, bottom = (min(high, c + r) for high, c, r in zip(field.box[2:], field.centre, field.radius, strict=True))
    x, y = _down(left - margin, width, step), _down(top - margin, height, step)
    return Window(x, y, _up(right + margin, width, step) - x, _up(bottom + margin, height, step) - y)


def _stretch(start: int, length: int, wanted: float, side: int, step: int) -> tuple[int, int]:
    """Start and length of a stretch about as long as wanted that holds the given one, within an image's side."""
    new_length = min(side, max(length, round(wanted / step) * step))
    begin = (start - (new_length - length) // 2) // step * step
    return max(0, min(begin, side - new_length)), new_length


def window_mask(field: FieldOfView, width: int, height: int, window: Window) -> NDArray[np.bool_]:
    """The field of view in the window of an image of this size, bool, one pixel for mask_step pixels."""
    step = mask_step(width, height)
    mask = field.mask(math.ceil(width / step), math.ceil(height / step))
    rows = slice(window.y // step, math.ceil((window.y + window.height) / step))
    columns = slice(window.x // step, math.ceil((window.x + window.width) / step))
    return mask[rows, columns]


def mask_step(width: int, height: int) -> int:
    """Pixels of the image for one of the mask, along each axis."""
    return max(1, math.ceil(max(width, height) / MASK_SIDE_PX))


def _down(share: float, side: int, step: int) -> int:
    return max(0, math.floor(share * side / step) * step)


def _up(share: float, side: int, step: int) -> int:
    return min(side, math.ceil(share * side / step) * step)
