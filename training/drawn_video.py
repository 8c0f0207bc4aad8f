"""The scope and the video processor of a sample, drawn afresh each time, letterboxed as other aspect ratios are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.depth.scope_window import Window
from endo_depth_ros.synthetic.obstructions import Obstruction, draw_obstruction, obstruct
from endo_depth_ros.synthetic.sensor import Sensor, draw_sensor

# Aspect ratios of video, width over height.
ASPECTS = (1.0, 4 / 3, 16 / 9)
LETTERBOXED = 0.3
# Around the scope's field of view once its border is cropped away, in image heights.
CROP_MARGIN = 0.01
SEEDS = 1 << 31


class DrawnVideo:
    """One scope, its video processor, and the bars around the video.

    scope: field of view, bool [H, W]. window: where the video lies; bars are outside.
    """

    def __init__(
        self, rng: np.random.Generator, width: int, height: int, obstructions: float, cropped: float = 0.0
    ) -> None:
        """obstructions: share of videos in which any may be drawn. cropped: share whose border is cropped away."""
        self.window = draw_window(rng, width, height)
        settings = draw_sensor(rng)
        if rng.random() < cropped:
            aspect = self.window.width / self.window.height
            settings = replace(settings, mask=settings.mask.filling(aspect, CROP_MARGIN))
        self._sensor = Sensor(self.window.width, self.window.height, settings, 0)
        self._obstruction = draw_obstruction(rng) if rng.random() < obstructions else Obstruction()
        self._time_s = float(rng.uniform(0, 60))
        self._shape = (height, width)
        self.scope = np.zeros((height, width), bool)
        self.window.part_of(self.scope)[:] = self._sensor.field_of_view

    def develop(self, radiance: NDArray[np.float32], noise: np.random.Generator) -> NDArray[np.uint8]:
        """The 8-bit RGB image [H, W, 3] of linear radiance [H, W, 3]; bars are black."""
        image = np.zeros((*self._shape, 3), np.uint8)
        light = obstruct(np.ascontiguousarray(self.window.part_of(radiance)), self._obstruction, self._time_s).light
        self.window.part_of(image)[:] = self._sensor.develop(light, int(noise.integers(SEEDS)))
        return image


def draw_window(rng: np.random.Generator, width: int, height: int) -> Window:
    """The whole image, or the largest window of another aspect ratio, mostly in the middle."""
    if rng.random() > LETTERBOXED:
        return Window(0, 0, width, height)
    aspect = ASPECTS[int(rng.integers(len(ASPECTS)))]
    w, h = min(width, round(height * aspect)), min(height, round(width / aspect))
    share_x, share_y = (0.5, 0.5) if rng.random() < 0.7 else rng.uniform(0, 1, 2)
    return Window(round((width - w) * share_x), round((height - h) * share_y), w, h)
