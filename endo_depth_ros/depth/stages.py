"""The stages of a frame's way, and the hook by which they are timed."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum


class Stage(str, Enum):
    """What a frame's time goes to, in order of first work."""

    DECODE = "decode"
    JUDGE = "judge"
    PREPROCESS = "preprocess"
    NETWORK = "network"
    POST = "post"
    CLOUD = "cloud"
    PUBLISH = "publish"


AfterStage = Callable[[Stage], None]


def ignore_stage(stage: Stage) -> None:
    """Nobody takes the time."""
