"""From light to video: exposure, vignette, blur, noise, tone curve and the scope's round field of view."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class SensorSettings:
    """Camera and video processor.

    disc_radius: of the field of view, in image heights. vignette: loss of light at the disc's rim. gamma: of the
    tone curve, above `knee` (linear) it bends towards white. target: median brightness (linear) that exposure seeks.
    exposure_lag: share of the wrong exposure that is left one frame later. blur_px: of the lens, at 512 rows.
    read_noise, shot_noise: standard deviation in the dark, variance per unit of light.
    """

    disc_radius: float = 0.485
    vignette: float = 0.35
    gamma: float = 2.2
    knee: float = 0.7
    target: float = 0.07
    exposure_lag: float = 0.8
    blur_px: float = 0.8
    read_noise: float = 8e-4
    shot_noise: float = 6e-5


class Sensor:
    """Turns radiance into 8-bit frames; exposure follows the scene with a lag."""

    def __init__(self, width: int, height: int, settings: SensorSettings, seed: int) -> None:
        self.settings, self._seed = settings, seed
        distance = _distance_from_centre(width, height) / (settings.disc_radius * height)
        self.field_of_view = distance <= 1  # bool [H, W]
        self._rim = np.clip((1 - distance) * settings.disc_radius * height, 0, 1)[..., None].astype(np.float32)
        self._falloff = (1 - settings.vignette * np.clip(distance, 0, 1) ** 2)[..., None].astype(np.float32)
        self._curve = _tone_curve(settings)
        self._gain: float | None = None

    def develop(self, radiance: NDArray[np.float32], index: int) -> NDArray[np.uint8]:
        """The video frame, RGB uint8 [H, W, 3], of linear radiance [H, W, 3], NaN where nothing is seen.

        index: of the frame in the sequence; it seeds the noise.
        """
        rng = np.random.default_rng([self._seed, 4, index])
        light = np.nan_to_num(radiance, nan=0.0) * self._falloff
        light *= self._expose(light)
        sigma = self.settings.blur_px * light.shape[0] / 512
        light = np.clip(cv2.GaussianBlur(np.minimum(light, 8.0), (0, 0), sigma), 0, None)
        noise = rng.standard_normal(light.shape, np.float32)
        light += noise * np.sqrt(self.settings.read_noise**2 + self.settings.shot_noise * light)
        codes = (np.clip(light, 0, _CURVE_END) * ((len(self._curve) - 1) / _CURVE_END)).astype(np.int32)
        video = self._curve[codes] * self._rim
        # The border is black but not zero in real video.
        video += np.abs(noise) * (0.006 * (1 - self._rim))
        return (np.clip(video, 0, 1) * 255 + 0.5).astype(np.uint8)

    def _expose(self, light: NDArray[np.float32]) -> float:
        """Gain for this frame: a share of the last one's error is left."""
        level = float(np.median(light[..., 1][self.field_of_view][::7]))
        wanted = self.settings.target / max(level, 1e-6)
        lag = self.settings.exposure_lag
        self._gain = wanted if self._gain is None else self._gain**lag * wanted ** (1 - lag)
        return self._gain


_CURVE_END = 4.0


def _tone_curve(settings: SensorSettings) -> NDArray[np.float32]:
    """Video level in 0-1 of 65536 linear levels in 0-_CURVE_END: a soft knee, then gamma."""
    linear = np.linspace(0, _CURVE_END, 65536)
    room = 1 - settings.knee
    bent = settings.knee + room * (1 - np.exp(-(linear - settings.knee) / room))
    return (np.where(linear < settings.knee, linear, bent) ** (1 / settings.gamma)).astype(np.float32)


def _distance_from_centre(width: int, height: int) -> NDArray[np.float64]:
    y, x = np.mgrid[:height, :width]
    return np.hypot(x - (width - 1) / 2, y - (height - 1) / 2)
