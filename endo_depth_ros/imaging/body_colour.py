"""Whether the colours are those of the inside of a body.

Light comes back from tissue through blood, which absorbs green and blue: red is the largest channel nearly everywhere,
also on fat, mucus, silicone and on steel, which mirrors tissue. Rooms have grey floors, white walls and blue things, so
that half of the picture is nearly colourless and some of it has more green or blue than red; and red or wooden things,
so that colours are far apart, unlike those of a body or phantom that a white balance has made grey.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from endo_depth_ros.imaging.lit_pixels import LitPixels, share_of

# Clipped channels and dim pixels have no colour that could be believed.
DIM_LEVEL, CLIPPED_LEVEL = 50, 250
# By this share of the brightest channel red must be exceeded to count; less is white balance, noise and chroma blocks.
MARGIN = 0.06
COLOURLESS_GREEN_TO_RED = 0.7
# One tint over everything is a stain, bile, narrow-band light or a white balance: rooms have warm colours, too.
MAX_TINTED = 0.9
MOSTLY = 0.5
# Logarithm of red to green: what lies between the 5 % with least and the 5 % with most. Measured: 1.2 to 1.5 in a
# kitchen, at most 0.45 in rendered bodies under a white balance that makes them grey.
MIN_VARIETY, TAIL = 0.7, 0.05
MIN_SAMPLE = 100


@dataclass(frozen=True)
class BodyColour:
    """Shares of a frame's well lit pixels: cold, where green or blue exceeds red; colourless, where green nears red.

    variety: range of log(red / green) without the tails; 0 unless most is colourless, when it doesn't matter.
    """

    cold: float
    colourless: float
    variety: float

    def is_grey(self, max_cold: float) -> bool:
        """Whether this may be no tissue. A large bluish instrument alone leaves most of the picture tissue."""
        return max_cold < self.cold < MAX_TINTED and self.colourless > MOSTLY

    def is_foreign(self, max_cold: float) -> bool:
        """Whether this is no view of a body: grey, with colours that no tissue has side by side."""
        return self.is_grey(max_cold) and self.variety > MIN_VARIETY


def measure_body_colour(pixels: LitPixels) -> BodyColour:
    """The shares; none where too little is well lit to tell."""
    good = (pixels.most > DIM_LEVEL) & (pixels.most < CLIPPED_LEVEL)
    if np.count_nonzero(good) < MIN_SAMPLE:
        return BodyColour(0.0, 0.0, 0.0)
    red, green, most = pixels.red[good], pixels.green[good], pixels.most[good]
    cold = share_of(red < np.float32(1 - MARGIN) * most)
    colourless = share_of(green > np.float32(COLOURLESS_GREEN_TO_RED) * red)
    if colourless <= MOSTLY:
        return BodyColour(cold, colourless, 0.0)
    few, many = np.quantile(np.log((1.0 + red[::4]) / (1.0 + green[::4])), [TAIL, 1 - TAIL])
    return BodyColour(cold, colourless, float(many - few))
