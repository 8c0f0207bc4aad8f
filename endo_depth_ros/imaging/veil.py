"""Smoke, fluid and blood: light that lies over the whole picture.

A film of opacity a over the scene I shows (1 - a) · I + a · F, F its own colour: nothing is darker than a · F, and no
channel varies by more than (1 - a) of full scale. Without a film something is nearly black, since the scope's light
falls off with the square of the distance and tissue absorbs blue and green: on clear frames the darkest of what is lit
has a blue level of 2 to 20, under 60 % of white smoke 120 to 153.
"""

from __future__ import annotations

from dataclasses import dataclass

from endo_depth_ros.imaging.lit_pixels import LitPixels, find_level, share_of

FULL_SCALE = 255
FLOOR_QUANTILE, CEILING_QUANTILE = 0.02, 0.98
# Of full scale, what the darkest channel varies by in clear frames: measured 0.65 to 0.85. Red varies as much.
CLEAR_RANGE = 0.75
# Blood passes a few per cent of green: half of what is seen through it is redder than nearly all tissue (measured under
# 60 % of red: below 0.26, clear: 0.45 to 0.55).
BLOODY_GREEN_TO_RED = 0.42

# Of the opacity: what red has at least, of full scale and of the most that it reaches. Under 0.6 of red it has at least
# 0.28 of full scale and half of the most; vivid tissue close to the lens nearly reaches the one or the other.
BLOOD_LEVEL, BLOOD_SHARE = 0.625, 1.2


@dataclass(frozen=True)
class Veil:
    """Levels as shares of full scale.

    white, red: what every channel, and the red one, have at least, everywhere. white_range, red_range: by how much the
    darkest channel, and the red one, vary above that. green_ceiling: the most that green reaches. bloody: share of the
    lit pixels that are redder than tissue.
    """

    white: float
    white_range: float
    red: float
    red_range: float
    green_ceiling: float
    bloody: float

    def is_smoke(self, opacity: float) -> bool:
        """Whether a white film of at least this opacity lies over everything.

        Pale tissue close to the lens may lack black too, but varies by more than a film leaves.
        """
        return self.white > opacity and self.is_flat(opacity)

    def is_flat(self, opacity: float) -> bool:
        """Whether there is as little contrast as under a film of this opacity, of any brightness."""
        return self.white_range < (1 - opacity) * CLEAR_RANGE

    def is_dim_smoke(self, opacity: float) -> bool:
        """Whether a white film of at least this opacity lies over everything, however little light there is.

        Dim tissue has little contrast, too, but is dark somewhere: a film leaves nothing below its share of the most.
        """
        return self.is_flat(opacity) and self.white > opacity * (self.white + self.white_range)

    def is_blood(self, opacity: float) -> bool:
        """Whether a red film does: the dark parts are red, the bright ones are, too, and half of it is red as blood.

        Blood is at best somewhat more than half of full scale in red, hence BLOOD_LEVEL of the opacity as red level.
        """
        left = (1 - opacity) * CLEAR_RANGE
        dull = self.red_range < left and self.green_ceiling < left
        everywhere = self.red > opacity * max(BLOOD_LEVEL, BLOOD_SHARE * (self.red + self.red_range))
        return everywhere and dull and self.bloody > 0.5


def measure_veil(pixels: LitPixels) -> Veil:
    """The film's traces in a frame's lit pixels."""
    white, red = find_level(pixels.least, FLOOR_QUANTILE), find_level(pixels.red, FLOOR_QUANTILE)
    return Veil(
        white / FULL_SCALE,
        (find_level(pixels.least, CEILING_QUANTILE) - white) / FULL_SCALE,
        red / FULL_SCALE,
        (find_level(pixels.red, CEILING_QUANTILE) - red) / FULL_SCALE,
        find_level(pixels.green, CEILING_QUANTILE) / FULL_SCALE,
        share_of(pixels.green < BLOODY_GREEN_TO_RED * pixels.red),
    )
