"""Types of command-line numbers: each takes its text and says in a sentence what it should have been."""

from __future__ import annotations

from argparse import ArgumentTypeError

# One frame a day to more than any camera delivers; what lies beyond is a typing error.
MIN_FPS, MAX_FPS = 1e-5, 10_000
MAX_COUNT = 10**9
MIN_SPEED, MAX_SPEED = 0.001, 1000
# What the seconds of a ROS stamp hold.
MAX_SECONDS = 2**31
MIN_SIDE_PX, MAX_SIDE_PX = 32, 8192


def frame_rate(text: str) -> float:
    """Frames per second, 0 < fps < 10000. Raises ArgumentTypeError."""
    fps = _number(text)
    if not MIN_FPS < fps < MAX_FPS:
        raise ArgumentTypeError(f"{text} is no frame rate; give the frames per second, such as 30")
    return fps


def degrees(text: str) -> float:
    """An angle, 0 < degrees < 180. Raises ArgumentTypeError."""
    angle_deg = _number(text)
    if not 0 < angle_deg < 180:
        raise ArgumentTypeError(f"{text} is no field of view; give degrees between 0 and 180")
    return angle_deg


def count(text: str) -> int:
    """A whole number, 1 <= count <= 10**9. Raises ArgumentTypeError."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if not 1 <= number <= MAX_COUNT:
        raise ArgumentTypeError(f"{text} is no count; give a whole number from 1 to {MAX_COUNT}")
    return number


def speed(text: str) -> float:
    """A factor on the speed of a recording, 0.001 <= speed <= 1000. Raises ArgumentTypeError."""
    factor = _number(text)
    if not MIN_SPEED <= factor <= MAX_SPEED:
        raise ArgumentTypeError(f"{text} is no speed; give a factor from {MIN_SPEED} to {MAX_SPEED}")
    return factor


def seconds(text: str) -> float:
    """A time, 0 <= seconds < 2**31. Raises ArgumentTypeError."""
    time_s = _number(text)
    if not 0 <= time_s < MAX_SECONDS:
        raise ArgumentTypeError(f"{text} is no time; give seconds from 0 to {MAX_SECONDS - 1}")
    return time_s


def image_size(text: str) -> tuple[int, int]:
    """(width, height) of WIDTHxHEIGHT, each from 32 to 8192 pixels. Raises ArgumentTypeError."""
    width, x, height = text.partition("x")
    sides = [int(side) if side.isascii() and side.isdigit() and len(side) < 10 else 0 for side in (width, height)]
    if not x or not all(MIN_SIDE_PX <= side <= MAX_SIDE_PX for side in sides):
        raise ArgumentTypeError(
            f"{text} is no image size; give WIDTHxHEIGHT from {MIN_SIDE_PX} to {MAX_SIDE_PX} pixels, such as 640x512"
        )
    return sides[0], sides[1]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text} is no number; give one such as 1.5") from error
