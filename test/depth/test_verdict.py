"""Verdicts on rendered frames of several bodies, clear and degraded, and on pictures that are no bodies."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from degraded import amplify, blur, cover

from endo_depth_ros.contracts import Verdict
from endo_depth_ros.depth.settings import DepthSettings
from endo_depth_ros.depth.verdict import FrameJudge, comparable_width
from endo_depth_ros.geometry.camera import pinhole_from_hfov
from endo_depth_ros.settings import make
from endo_depth_ros.synthetic.sequence import SequenceSettings, render_sequence

FAMILIES = ("colon", "sinus", "abdomen")
DEGRADED = {
    "blur": (blur, Verdict.BLURRED),
    "white smoke": (lambda image: cover(image, (255, 255, 255)), Verdict.OBSCURED),
    "grey smoke": (lambda image: cover(image, (200, 200, 205)), Verdict.OBSCURED),
    "red film": (lambda image: cover(image, (255, 0, 0)), Verdict.OBSCURED),
    "blood": (lambda image: cover(image, (160, 15, 10)), Verdict.OBSCURED),
    "a tenth of the light": (lambda image: amplify(image, 0.1), Verdict.DARK),
    "four times the light": (lambda image: amplify(image, 4.0), Verdict.OVEREXPOSED),
}


@cache
def rendered(family):
    """A frame of a body and the field of view that it fills."""
    frame = next(iter(render_sequence(SequenceSettings(seed=100, family=family, frames=1, width=320, height=256))))
    return frame.frame.image, frame.field_of_view


def judge(image, inside=None, **settings):
    inside = np.ones(image.shape[:2], bool) if inside is None else inside
    return FrameJudge().judge(image, inside, make(DepthSettings, settings))


@pytest.mark.parametrize("family", FAMILIES)
def test_clear_frames_are_ok(family):
    assert judge(*rendered(family)) == (Verdict.OK, "")


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", DEGRADED)
def test_degraded_frames_are_told_apart(family, name):
    image, inside = rendered(family)
    degrade, expected = DEGRADED[name]
    verdict, reason = judge(degrade(image), inside)
    assert verdict is expected
    assert any(sign.isdigit() for sign in reason), "a reason is a measurement"


def test_close_tissue_may_fill_the_red_of_a_video():
    image, inside = rendered("colon")
    image = image.copy()
    image[..., 0] = np.where(inside, 255, 0)
    assert judge(image, inside, max_veil=1.0)[0] is Verdict.OK


def test_films_over_the_black_border_are_seen_too():
    image, inside = rendered("colon")
    assert judge(cover(image, (255, 255, 255)), np.ones_like(inside))[0] is Verdict.OBSCURED
    assert judge(cover(image, (255, 0, 0)), np.ones_like(inside))[0] is Verdict.OBSCURED


def test_a_border_taken_for_scenery_hides_no_overexposure():
    image, inside = rendered("colon")
    assert judge(amplify(image, 4.0), np.ones_like(inside))[0] is Verdict.OVEREXPOSED


def test_a_room_is_outside_the_body():
    image = np.empty((256, 320, 3), np.uint8)
    image[:90], image[90:] = (225, 222, 215), (95, 105, 120)
    image[60:150, :140], image[150:230, 180:] = (150, 20, 30), (170, 130, 90)
    assert judge(image)[0] is Verdict.OUTSIDE_BODY


def test_dim_grey_smoke_is_no_room():
    smoke = np.linspace(55, 75, 320)[None, :, None] * np.ones((256, 1, 1)) * np.array([0.95, 0.96, 1.04])
    smoke[:60] = (90, 60, 55)  # tissue where it is thinner
    assert judge(smoke.astype(np.uint8))[0] is Verdict.OBSCURED


def test_each_check_can_be_turned_off():
    image, inside = rendered("colon")
    off = {
        "min_brightness": 0,
        "max_saturated_fraction": 1.0,
        "max_veil": 1.0,
        "max_cold_fraction": 1.0,
        "max_edge_width_px": 0.0,
    }
    for degrade, _ in DEGRADED.values():
        assert judge(degrade(image), inside, **off) == (Verdict.OK, "")


def test_edges_are_as_wide_in_a_part_of_the_picture_as_in_the_whole():
    whole = pinhole_from_hfov(640, 512, 90.0)
    assert comparable_width(whole.resized(320, 256), whole) == 320
    part = replace(whole, width=320, height=256)
    assert comparable_width(part, whole) == 160
    assert comparable_width(part.resized(240, 192), whole) == 160
    soft = blur(np.repeat(np.repeat(rendered("colon")[0], 2, 0), 2, 1), 1.6)
    inside = np.ones((256, 320), bool)
    cut = np.ascontiguousarray(soft[128:384, 160:480])
    assert FrameJudge().judge(cut, inside, DepthSettings(), 320)[0] is Verdict.BLURRED
    assert FrameJudge().judge(cut, inside, DepthSettings(), 160)[0] is Verdict.OK


def test_another_field_of_view_is_noticed():
    image, inside = rendered("colon")
    judged = FrameJudge()
    bright = amplify(image, 4.0)
    bright[~inside] = 255
    assert judged.judge(bright, np.ones_like(inside), DepthSettings())[0] is Verdict.OVEREXPOSED
    dark = image.copy()
    dark[inside] //= 12
    dark[~inside] = 255
    assert judged.judge(dark, inside, DepthSettings())[0] is Verdict.DARK
