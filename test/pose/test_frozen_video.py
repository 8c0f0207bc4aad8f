"""Identical images are counted."""

from __future__ import annotations

import numpy as np

from endo_depth_ros.pose.frozen_video import FrozenVideo


def test_the_fifth_identical_image_is_frozen_and_the_first_other_one_is_not() -> None:
    image = np.random.default_rng(0).integers(0, 255, (8, 10, 3), dtype=np.uint8)
    video = FrozenVideo(5)
    assert [video.see(image.copy()) for _ in range(6)] == [False] * 4 + [True] * 2
    other = image.copy()
    other[3, 3, 1] ^= 1
    assert not video.see(other)
    assert video.count == 1


def test_images_of_another_size_are_other_images() -> None:
    video = FrozenVideo(2)
    assert not video.see(np.zeros((4, 4, 3), np.uint8))
    assert not video.see(np.zeros((4, 5, 3), np.uint8))
