"""Letterboxed videos: bars are black and outside, the field of view lies in the window."""

from __future__ import annotations

import numpy as np

from training.drawn_video import DrawnVideo, draw_window


def test_windows_keep_an_aspect_and_stay_inside() -> None:
    seen = set()
    for seed in range(200):
        window = draw_window(np.random.default_rng(seed), 320, 256)
        assert 0 <= window.x <= 320 - window.width
        assert 0 <= window.y <= 256 - window.height
        assert window.width == 320 or window.height == 256
        seen.add((window.width, window.height))
    assert seen >= {(320, 256), (256, 256), (320, 180), (320, 240)}


def test_bars_are_black_and_outside() -> None:
    seed = next(s for s in range(100) if draw_window(np.random.default_rng(s), 320, 256).height < 256)
    video = DrawnVideo(np.random.default_rng(seed), 320, 256, 0.5)
    image = video.develop(np.ones((256, 320, 3), np.float32), np.random.default_rng(1))
    bars = np.ones((256, 320), bool)
    video.window.part_of(bars)[:] = False
    assert bars.any()
    assert not (video.scope & bars).any()
    assert image[bars].max() == 0
    assert image[video.scope].mean() > 5
