"""Numbers given on the command line."""

from argparse import ArgumentTypeError
from collections.abc import Callable
from typing import Any

import pytest

from endo_depth_ros.cli.arguments import count, degrees, frame_rate, image_size, seconds, speed

NO_NUMBERS = ["inf", "-inf", "nan", "0", "-5", "1e300", "9" * 400, "fast", ""]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (frame_rate, "29.97", 29.97),
        (degrees, "90", 90.0),
        (count, "1", 1),
        (count, "1000000000", 10**9),
        (seconds, "0", 0.0),
        (seconds, "1.5", 1.5),
        (speed, "0.5", 0.5),
    ],
)
def test_a_number_in_range_is_read(kind: Callable[[str], Any], text: str, value: float) -> None:
    assert kind(text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        *((kind, text) for kind in (frame_rate, degrees, count, speed) for text in NO_NUMBERS),
        (frame_rate, "1e-300"),
        (count, "0.5"),
        (seconds, "-1"),
        (seconds, "nan"),
        (seconds, "2147483648"),
    ],
)
def test_a_number_out_of_range_is_refused_with_what_to_give(kind: Callable[[str], Any], text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="; give "):
        kind(text)


def test_an_image_size_is_width_and_height() -> None:
    assert image_size("640x512") == (640, 512)


@pytest.mark.parametrize(
    "text", ["640", "640x", "x512", "640x512x3", "0x512", "-640x512", "640x1e3", "9999999999x64", ""]
)
def test_what_is_no_image_size_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="such as 640x512"):
        image_size(text)
