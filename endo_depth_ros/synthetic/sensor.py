"""From light to video: lens, exposure, noise, colour, tone, the scope's mask, sharpening and JPEG."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from endo_depth_ros.synthetic.light import light_of, three_channels
from endo_depth_ros.synthetic.scope_mask import ScopeMask, draw_scope_mask
from endo_depth_ros.synthetic.tone_curve import ToneCurve, apply_curve, draw_tone_curve

_LUMINANCE = np.array([0.3, 0.6, 0.1], np.float32)
# Narrow-band imaging shows green light as red, and blue light as green and blue.
_NARROW_BAND = np.array([[0.0, 1.0, 0.0], [0.0, 0.2, 1.0], [0.0, 0.0, 1.0]])
# The wells of the sensor, in units of white.
_FULL_WELL = 4.0
# How far a frame's noise may be shifted in its field.
_NOISE_SHIFTS = 256


@dataclass(frozen=True)
class SensorSettings:
    """Lens, camera and video processor. Pixels are those of an image of 512 rows.

    target: brightness that exposure seeks: the square of the mean root of linear luminance in the field of view,
    1 is white. exposure_lag: share of the wrong exposure (its logarithm) that is left one frame later.
    vignette: loss of light one radius (or half a height) from the centre. lens_blur_px: standard deviation.
    aberration: by how much red is larger and blue smaller. glare: share of light spread over the image.
    local_adaptation: 0 none, 1 levels the local brightness out. read_noise, shot_noise: standard deviation in the
    dark, variance per unit of light. grain_px: standard deviation of the blur that makes noise coarse.
    banding: amplitude of dark bands, banding_rows: their period. colour: matrix on linear RGB, white balance
    included, rows are outputs. sharpening: share of the detail finer than sharpening_px that is added.
    jpeg_quality: 1-100, 0 for no compression.
    """

    mask: ScopeMask = field(default_factory=ScopeMask)
    tone: ToneCurve = field(default_factory=ToneCurve)
    target: float = 0.07
    exposure_lag: float = 0.8
    vignette: float = 0.35
    lens_blur_px: float = 0.8
    aberration: float = 0.0
    glare: float = 0.0
    local_adaptation: float = 0.0
    read_noise: float = 8e-4
    shot_noise: float = 6e-5
    grain_px: float = 0.0
    banding: float = 0.0
    banding_rows: float = 64.0
    colour: tuple[tuple[float, float, float], ...] = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    sharpening: float = 0.0
    sharpening_px: float = 1.5
    jpeg_quality: int = 0


class Sensor:
    """Turns radiance into 8-bit frames; exposure follows the scene with a lag."""

    def __init__(self, width: int, height: int, settings: SensorSettings, seed: int) -> None:
        self.settings, self._seed, self._size = settings, seed, (width, height)
        self._pixel = height / 512
        margin = settings.mask.margin(width, height)
        self.field_of_view: NDArray[np.bool_] = margin >= 0  # [H, W]
        opacity = np.clip(margin * (255 * height / max(settings.mask.rim_px * self._pixel, 1.0)), 0, 255)
        lit = opacity.astype(np.uint8)
        self._lit, self._unlit = three_channels(lit), three_channels(255 - lit)
        self._border = cv2.merge([cv2.convertScaleAbs(255 - lit, alpha=level / 255) for level in settings.mask.border])
        self._bordered = bool(lit.min() < 255)
        self._falloff = three_channels(_vignette(settings, width, height))
        self._table = settings.tone.table()
        self._gain: float | None = None

    def develop(self, radiance: NDArray[np.float32], index: int) -> NDArray[np.uint8]:
        """The video frame, RGB uint8 [H, W, 3], of linear radiance [H, W, 3], NaN where nothing is seen.

        index: of the frame in the sequence; it seeds the noise. Call once per frame, in order.
        """
        rng = np.random.default_rng([self._seed, 4, index])
        light = self._through_lens(light_of(radiance))
        light *= self._expose(light)
        light = self._process(self._expose_rows(light, rng))
        light = self._add_noise(np.minimum(light, _FULL_WELL), rng)
        light = np.maximum(cv2.transform(light, np.array(self.settings.colour, np.float32)), 0)
        video = self._mask(apply_curve(light, self._table), rng)
        return np.asarray(self._compress(self._sharpen(video)), np.uint8)

    def _through_lens(self, light: NDArray[Any]) -> NDArray[Any]:
        if self.settings.aberration > 0:
            red, green, blue = cv2.split(light)
            larger = self._scaled(red, 1 + self.settings.aberration)
            light = cv2.merge([larger, green, self._scaled(blue, 1 - self.settings.aberration)])
        light = cv2.GaussianBlur(light, (0, 0), max(self.settings.lens_blur_px * self._pixel, 1e-3))
        return cv2.multiply(light, self._falloff, dst=light)

    def _scaled(self, channel: NDArray[Any], scale: float) -> NDArray[Any]:
        """The channel larger by `scale` about the image's centre."""
        width, height = self._size
        shift_x, shift_y = (1 - scale) * (width - 1) / 2, (1 - scale) * (height - 1) / 2
        matrix = np.array([[scale, 0, shift_x], [0, scale, shift_y]])
        return cv2.warpAffine(channel, matrix, self._size, borderMode=cv2.BORDER_REPLICATE)

    def _expose(self, light: NDArray[Any]) -> float:
        """Gain for this frame: a share of the last one's error is left."""
        step = max(1, light.shape[0] // 64)
        luminance = (light[::step, ::step] @ _LUMINANCE)[self.field_of_view[::step, ::step]]
        level = float(np.sqrt(luminance).mean()) ** 2 if luminance.size else 0.0
        wanted = self.settings.target / max(level, 1e-6)
        lag = self.settings.exposure_lag
        self._gain = wanted if self._gain is None else self._gain**lag * wanted ** (1 - lag)
        return self._gain

    def _expose_rows(self, light: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
        """Bands of a pulsed lamp that the rolling shutter sees."""
        if self.settings.banding == 0:
            return light
        phase = np.arange(len(light)) / (self.settings.banding_rows * self._pixel) + rng.random()
        bands = 1 - self.settings.banding * (0.5 + 0.5 * np.sin(2 * np.pi * phase))
        return light * bands[:, None, None].astype(np.float32)

    def _process(self, light: NDArray[Any]) -> NDArray[Any]:
        """Glare of the lens and the processor's local adaptation, both from a blurred thumbnail."""
        glare, adaptation = self.settings.glare, self.settings.local_adaptation
        if glare == 0 and adaptation == 0:
            return light
        thumbnail = cv2.resize(np.minimum(light, _FULL_WELL), (40, 32), interpolation=cv2.INTER_AREA)
        thumbnail = cv2.GaussianBlur(thumbnail, (0, 0), 4.0)
        if glare > 0:
            spread = cv2.resize(thumbnail, self._size, interpolation=cv2.INTER_LINEAR)
            light = cv2.addWeighted(light, 1 - glare, spread, glare, 0)
        if adaptation > 0:
            local = np.maximum((thumbnail @ _LUMINANCE) / self.settings.target, 0.05) ** -adaptation
            light = cv2.multiply(light, three_channels(cv2.resize(local, self._size)))
        return light

    def _add_noise(self, light: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
        noise = self._noise(rng)
        sigma = cv2.sqrt(light * np.float32(self.settings.shot_noise) + np.float32(self.settings.read_noise**2))
        return cv2.add(light, cv2.multiply(sigma, noise, dst=sigma), dst=light)

    def _noise(self, rng: np.random.Generator) -> NDArray[Any]:
        """Normal noise [H, W, 3] of standard deviation 1, another cut of the same field for each frame."""
        width, height = self._size
        x, y = rng.integers(0, _NOISE_SHIFTS, 2)
        rounded = (math.ceil(height / 256) * 256, math.ceil(width / 256) * 256)
        field = _noise_field(*rounded, round(4 * self.settings.grain_px * self._pixel) / 4)
        return field[y : y + height, x : x + width]

    def _mask(self, video: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
        if not self._bordered:
            return video
        # The border is black but not zero in real video.
        noise = cv2.convertScaleAbs(self._noise(rng), alpha=self.settings.mask.border_noise)
        border = cv2.add(cv2.multiply(noise, self._unlit, scale=1 / 255), self._border)
        return cv2.add(cv2.multiply(video, self._lit, scale=1 / 255), border)

    def _sharpen(self, video: NDArray[Any]) -> NDArray[Any]:
        amount = self.settings.sharpening
        if amount == 0:
            return video
        smooth = cv2.GaussianBlur(video, (0, 0), max(self.settings.sharpening_px * self._pixel, 0.3))
        return cv2.addWeighted(video, 1 + amount, smooth, -amount, 0)

    def _compress(self, video: NDArray[Any]) -> NDArray[Any]:
        if self.settings.jpeg_quality == 0:
            return video
        return simplejpeg.decode_jpeg(simplejpeg.encode_jpeg(video, self.settings.jpeg_quality, "RGB", "420"), "RGB")


def draw_sensor(rng: np.random.Generator) -> SensorSettings:
    """Settings as varied as real endoscopes and their processors."""
    return SensorSettings(
        mask=draw_scope_mask(rng),
        tone=draw_tone_curve(rng),
        target=float(np.exp(np.clip(rng.normal(np.log(0.17), 0.55), np.log(0.02), np.log(0.6)))),
        exposure_lag=rng.uniform(0.5, 0.95),
        vignette=rng.uniform(0.0, 0.4),
        lens_blur_px=rng.uniform(0.2, 2.0),
        aberration=_sometimes(rng, 0.5, rng.uniform(0.0, 0.004)),
        glare=_sometimes(rng, 0.5, rng.uniform(0.0, 0.15)),
        local_adaptation=_sometimes(rng, 0.4, rng.uniform(0.0, 0.5)),
        read_noise=_log_uniform(rng, 2e-4, 4e-3),
        shot_noise=_log_uniform(rng, 1e-5, 5e-4),
        grain_px=_sometimes(rng, 0.6, rng.uniform(0.5, 2.5)),
        banding=_sometimes(rng, 0.1, rng.uniform(0.0, 0.2)),
        banding_rows=_log_uniform(rng, 24, 400),
        colour=_draw_colour(rng),
        sharpening=_sometimes(rng, 0.7, rng.uniform(0.1, 1.8)),
        sharpening_px=_log_uniform(rng, 1.0, 5.0),
        jpeg_quality=int(_sometimes(rng, 0.75, rng.uniform(50, 99))),
    )


def _draw_colour(rng: np.random.Generator) -> tuple[tuple[float, float, float], ...]:
    """White balance, saturation and cross-talk as one matrix; seldom the false colours of narrow-band imaging."""
    balance = np.exp(rng.normal(0, (0.12, 0.06, 0.15)))
    saturation = np.clip(rng.normal(1.0, 0.18), 0.4, 1.4)
    grey = np.tile(_LUMINANCE, (3, 1))
    crosstalk = rng.normal(0, 0.04, (3, 3))
    crosstalk -= crosstalk.mean(axis=1, keepdims=True)
    matrix = (saturation * np.eye(3) + (1 - saturation) * grey + crosstalk) * balance
    if rng.random() < 0.03:
        matrix = matrix @ _NARROW_BAND
    red, green, blue = ((float(row[0]), float(row[1]), float(row[2])) for row in matrix)
    return red, green, blue


def _sometimes(rng: np.random.Generator, probability: float, value: float) -> float:
    return float(value) if rng.random() < probability else 0.0


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _vignette(settings: SensorSettings, width: int, height: int) -> NDArray[np.float32]:
    """Light that is left at each pixel, float32 [H, W]."""
    x, y = settings.mask.offsets(width, height)
    radius = min(settings.mask.radius, 0.75)
    loss = np.float32(settings.vignette / radius**2)
    return np.maximum(1 - loss * (x * x + y * y), np.float32(0.1 * (1 - settings.vignette)))


@lru_cache(maxsize=16)
def _noise_field(height: int, width: int, grain_px: float) -> NDArray[Any]:
    """Normal noise [H + 256, W + 256, 3] of standard deviation 1, blurred by grain_px."""
    rng = np.random.default_rng(4)
    noise: NDArray[Any] = rng.standard_normal((height + _NOISE_SHIFTS, width + _NOISE_SHIFTS, 3), np.float32)
    if grain_px > 0:
        noise = cv2.GaussianBlur(noise, (0, 0), grain_px)
    return noise / noise.std()
