"""The video processor's tone curve: linear light to video levels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

# The table is spaced evenly in the root of light, so that its steps are below one grey level in the dark as well.
_ENTRIES, MAX_LIGHT = 4096, 4.0


@dataclass(frozen=True)
class ToneCurve:
    """From light (1: white without a knee) to video 0-1.

    gamma, offset: video = (1 + offset) light^(1 / gamma) - offset above a linear toe (IEC 61966-2-1: 2.4, 0.055;
    BT.709: 2.22, 0.099; 0 is a pure power). knee: light above it bends towards white. contrast: of an S-curve, 0 for
    none. black, white: video of no light and of all light.
    """

    gamma: float = 2.2
    offset: float = 0.0
    knee: float = 0.7
    contrast: float = 0.0
    black: float = 0.0
    white: float = 1.0

    def table(self) -> NDArray[np.uint8]:
        """Video levels 0-255 of the root of light, evenly from 0 to the root of MAX_LIGHT, [4096]."""
        light = np.linspace(0, np.sqrt(MAX_LIGHT), _ENTRIES) ** 2
        room = 1 - self.knee
        light = np.where(light < self.knee, light, self.knee + room * (1 - np.exp((self.knee - light) / room)))
        video = self._power(light)
        video += self.contrast * (video * video * (3 - 2 * video) - video)
        video = self.black + (self.white - self.black) * video
        return (np.clip(video, 0, 1) * 255 + 0.5).astype(np.uint8)

    def _power(self, light: NDArray[np.float64]) -> NDArray[np.float64]:
        video = (1 + self.offset) * light ** (1 / self.gamma) - self.offset
        if self.offset == 0:
            return video
        # The toe is the tangent through the origin.
        joint = (self.offset / ((1 + self.offset) * (1 - 1 / self.gamma))) ** self.gamma
        slope = (1 + self.offset) * joint ** (1 / self.gamma - 1) / self.gamma
        return np.where(light < joint, slope * light, video)


def apply_curve(light: NDArray[Any], table: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Video uint8 of non-negative linear light, float32 of any shape, by ToneCurve.table."""
    codes = cv2.sqrt(light)
    codes *= (_ENTRIES - 1) / np.sqrt(MAX_LIGHT)
    return table.take(codes.astype(np.intp), mode="clip")


def draw_tone_curve(rng: np.random.Generator) -> ToneCurve:
    """Gamma 1.6-2.6, half of them with a toe, knees of all softness, some S-curves and raised blacks."""
    offset = float(rng.choice((0.0, 0.055, 0.099), p=(0.5, 0.25, 0.25)))
    return ToneCurve(
        gamma=rng.uniform(1.6, 2.6),
        offset=offset,
        knee=rng.uniform(0.35, 0.9),
        contrast=float(np.clip(rng.normal(0.25, 0.4), 0.0, 1.0)),
        black=max(0.0, rng.normal(-0.01, 0.02)),
        white=rng.uniform(0.9, 1.0) if rng.random() < 0.3 else 1.0,
    )
