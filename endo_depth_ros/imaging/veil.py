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
# Of full scale, what the darkest channel varies by in clear frames: measured 0.65 to 0.85.
CLEAR_RANGE = 0.75
# Blood passes a few per cent of green: half of what is seen through it is redder than nearly all tissue (measured under
# 60 % of red: below 0.26, clear: 0.45 to 0.55), and hardly anything is pale, not even highlights.
BLOODY_GREEN_TO_RED = 0.42
PALE_GREEN_TO_RED, MAX_PALE_SHARE = 0.62, 0.05


@dataclass(frozen=True)
class Veil:
    """Levels as shares of full scale.

    white: what every channel has at least, everywhere. white_range: how much the darkest channel varies above it.
    red: what the red channel has at least, everywhere. green_ceiling: the most that green reaches.
    bloody, pale: shares of the lit pixels that are redder than tissue, and that are not red.
    """

    white: float
    white_range: float
    red: float
    green_ceiling: float
    bloody: float
    pale: float

    def is_smoke(self, opacity: float) -> bool:
        """Whether a white film of at least this opacity lies over everything.

        Pale tissue close to the lens may lack black too, but varies by more than a film leaves.
        """
        return self.white > opacity and self.white_range < (1 - opacity) * CLEAR_RANGE

    def is_blood(self, opacity: float) -> bool:
        """Whether a red film does: the dark parts are red, green is faint even in the bright ones, nothing is pale.

        Blood is at best half of full scale in red, hence half of the opacity as red level.
        """
        dark_is_red, bright_is_dull = self.red > opacity / 2, self.green_ceiling < 1 - opacity
        return dark_is_red and bright_is_dull and self.bloody > 0.5 and self.pale < MAX_PALE_SHARE


def measure_veil(pixels: LitPixels) -> Veil:
    """The film's traces in a frame's lit pixels."""
    white = find_level(pixels.least, FLOOR_QUANTILE)
    return Veil(
        white / FULL_SCALE,
        (find_level(pixels.least, CEILING_QUANTILE) - white) / FULL_SCALE,
        find_level(pixels.red, FLOOR_QUANTILE) / FULL_SCALE,
        find_level(pixels.green, CEILING_QUANTILE) / FULL_SCALE,
        share_of(pixels.green < BLOODY_GREEN_TO_RED * pixels.red),
        share_of(pixels.green > PALE_GREEN_TO_RED * pixels.red),
    )
