"""Light and depth of a rendering as small pictures: what quantisation loses is less than what a video loses."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

# Light of `bright` medians is the brightest that is told apart; below `dark` medians steps stop shrinking. Around the
# median a step is 2.8 %, the same as of an 8-bit video at gamma 2.2 whose median is at 7 % of white.
BRIGHT_MEDIANS = 60.0
DARK_MEDIANS = 0.05
MIN_DEPTH_M = 1e-4
LOG_DEPTH_STEP = 5e-4
INSTRUMENT_BIT = np.uint16(1 << 15)
DEPTH_BITS = np.uint16(INSTRUMENT_BIT - 1)


class PictureError(ValueError):
    """A stored picture can't be decoded; the text says which."""


@dataclass(frozen=True)
class LightCode:
    """The logarithmic curve of one picture: code 255 is `bright`, steps are even below `dark` (linear radiance)."""

    dark: float
    bright: float

    def table(self) -> NDArray[np.float32]:
        """Radiance of the 256 codes."""
        return (np.expm1(np.arange(256) / 255 * np.log1p(self.bright / self.dark)) * self.dark).astype(np.float32)


def encode_light(radiance: NDArray[np.float32], quality: int) -> tuple[bytes, LightCode]:
    """Linear radiance [H, W, 3], NaN where nothing is seen, as a JPEG without chroma subsampling, and its curve."""
    light = np.clip(np.nan_to_num(radiance, nan=0.0), 0, None)
    median = max(float(np.median(light[..., 1])), 1e-12)
    code = LightCode(dark=DARK_MEDIANS * median, bright=BRIGHT_MEDIANS * median)
    level = np.log1p(np.minimum(light, code.bright) / code.dark) / np.log1p(code.bright / code.dark)
    picture = (level * 255 + 0.5).astype(np.uint8)
    return simplejpeg.encode_jpeg(picture, quality=quality, colorspace="RGB", colorsubsampling="444"), code


def decode_light(jpeg: bytes, code: LightCode) -> NDArray[np.float32]:
    """Linear radiance, float32 [H, W, 3]. Raises PictureError."""
    try:
        picture = simplejpeg.decode_jpeg(jpeg, colorspace="RGB")
    except ValueError as error:
        raise PictureError(f"the light is not a readable JPEG ({error})") from error
    return code.table()[picture]


def encode_depth(depth: NDArray[np.float32], instrument: NDArray[np.bool_]) -> bytes:
    """Depth z [H, W] in metres, NaN where unknown, and the instrument mask, as a 16-bit PNG in steps of 0.05 %."""
    known = np.isfinite(depth) & (depth > MIN_DEPTH_M)
    steps = np.log(np.where(known, depth, MIN_DEPTH_M) / MIN_DEPTH_M) / LOG_DEPTH_STEP
    code = np.where(known, np.clip(np.round(steps), 1, int(DEPTH_BITS)), 0).astype(np.uint16)
    code |= np.where(instrument, INSTRUMENT_BIT, np.uint16(0))
    return bytes(cv2.imencode(".png", code)[1])


def decode_depth(png: bytes) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Natural log of depth in metres, float32 [H, W], NaN where unknown; the instrument mask. Raises PictureError."""
    picture = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    if picture is None or picture.dtype != np.uint16 or picture.ndim != 2:
        raise PictureError("the depth is not a readable 16-bit PNG")
    code = np.asarray(picture, np.uint16)
    steps = code & DEPTH_BITS
    log_depth = steps.astype(np.float32) * np.float32(LOG_DEPTH_STEP) + np.float32(np.log(MIN_DEPTH_M))
    return np.where(steps > 0, log_depth, np.float32(np.nan)), (code & INSTRUMENT_BIT) > 0
