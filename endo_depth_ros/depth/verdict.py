"""Whether a frame may be trusted at all, decided before any depth is computed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.contracts import Verdict
from endo_depth_ros.depth.settings import DepthSettings
from endo_depth_ros.geometry.camera import Camera
from endo_depth_ros.imaging.body_colour import BodyColour, measure_body_colour
from endo_depth_ros.imaging.lit_pixels import LitPixels, find_core, sample_lit_pixels, share_of
from endo_depth_ros.imaging.sharpness import WORKING_WIDTH_PX, measure_edge_width
from endo_depth_ros.imaging.veil import Veil, measure_veil

Opinion = tuple[Verdict, str]


class FrameJudge:
    """Judges single frames: nothing is remembered but the shape of the field of view.

    In this order, because each check needs what the ones before it ask for: enough light (dark), not too much
    (overexposed), a clear view (obscured by smoke, then by blood), a body (outside_body), and edges (blurred).
    """

    def __init__(self) -> None:
        self._inside: NDArray[np.bool_] | None = None
        self._core: NDArray[np.bool_] = np.zeros((0, 0), np.bool_)

    def judge(
        self,
        image: NDArray[np.uint8],
        inside: NDArray[np.bool_],
        settings: DepthSettings,
        width_px: int = WORKING_WIDTH_PX,
    ) -> Opinion:
        """The verdict and the measurement behind it, '' when the frame is ok.

        image: uint8 [H, W, 3], RGB. inside: bool [H, W], the field of view; not to be changed in place between frames.
        width_px: see comparable_width.
        """
        if inside is not self._inside:
            self._inside, self._core = inside, find_core(inside)
        pixels = sample_lit_pixels(image, self._core)
        veil = measure_veil(pixels)
        return (
            judge_light(pixels, settings)
            or judge_veil(veil, settings)
            or judge_colour(measure_body_colour(pixels), veil, settings)
            or judge_sharpness(image, self._core, settings, width_px)
            or (Verdict.OK, "")
        )


def comparable_width(looked_at: Camera, raw: Camera) -> int:
    """Width in pixels at which the image that is looked at is no finer than the whole raw one is at WORKING_WIDTH_PX.

    A part of the raw image at full width shows its edges wider; blur is judged by what the camera sees as a whole.
    """
    magnification = looked_at.K[0, 0] / raw.K[0, 0] * raw.width / WORKING_WIDTH_PX
    return max(1, round(looked_at.width / max(1.0, magnification)))


def judge_light(pixels: LitPixels, settings: DepthSettings) -> Opinion | None:
    """Dark or overexposed, or nothing. Borders and dark cavities don't count when shares of saturation are taken."""
    if pixels.brightness < settings.min_brightness:
        return (
            Verdict.DARK,
            f"too dark: 95% of the field of view is at most {pixels.brightness} of 255 bright, less than "
            f"{settings.min_brightness}; is the light on?",
        )
    saturated = share_of(pixels.second >= settings.saturated_level)
    if saturated > settings.max_saturated_fraction:
        return Verdict.OVEREXPOSED, f"{saturated:.0%} of what is lit is saturated; reduce the light"
    return None


def judge_veil(veil: Veil, settings: DepthSettings) -> Opinion | None:
    """Obscured, or nothing."""
    if veil.is_smoke(settings.max_veil):
        return (
            Verdict.OBSCURED,
            f"nothing is darker than {veil.white:.0%} of white: smoke, or a lens that is fogged or touches tissue",
        )
    if veil.is_blood(settings.max_veil):
        return (
            Verdict.OBSCURED,
            f"all is red: at least {veil.red:.0%} of full scale everywhere, green at most {veil.green_ceiling:.0%}: "
            "blood on the lens, or a lens that touches tissue",
        )
    return None


def judge_colour(colour: BodyColour, veil: Veil, settings: DepthSettings) -> Opinion | None:
    """Outside the body, or nothing; grey without any contrast is smoke, however dim, and no room."""
    if not colour.is_grey(settings.max_cold_fraction):
        return None
    grey = f"{colour.cold:.0%} of what is lit is bluish or greenish and {colour.colourless:.0%} is not red"
    if veil.is_dim_smoke(settings.max_veil):
        return Verdict.OBSCURED, f"{grey}, nearly without contrast: dim smoke, or a lens that is fogged"
    if colour.is_foreign(settings.max_cold_fraction):
        return Verdict.OUTSIDE_BODY, f"{grey}, unlike anything in a body"
    return None


def judge_sharpness(
    image: NDArray[np.uint8], core: NDArray[np.bool_], settings: DepthSettings, width_px: int
) -> Opinion | None:
    """Blurred, or nothing; a picture without edges is given the benefit of the doubt."""
    if settings.max_edge_width_px == 0:
        return None
    width = measure_edge_width(image, core, width_px)
    if width > settings.max_edge_width_px:
        return (
            Verdict.BLURRED,
            f"even sharp edges are {width:.1f} px wide in a picture {width_px} px wide, more than "
            f"{settings.max_edge_width_px:g}; motion, or a lens that is out of focus or wet",
        )
    return None
