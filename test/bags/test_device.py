"""V4L2 cameras, with a stand-in for the driver."""

from itertools import islice
from types import SimpleNamespace

import numpy as np
import pytest

from endo_depth_ros.bags.device import RETRY_S, DeviceSource, device_index
from endo_depth_ros.bags.source import SourceError


def fake_capture(count: int) -> SimpleNamespace:
    """An OpenCV capture that gives `count` blue (BGR) images, then fails."""
    images = iter([np.full((48, 64, 3), (255, 0, 0), np.uint8) for _ in range(count)])

    def read():
        image = next(images, None)
        return image is not None, image

    return SimpleNamespace(isOpened=lambda: True, set=lambda key, value: True, read=read, release=lambda: None)


def test_an_unplugged_camera_is_answered_and_opened_again():
    captures = iter([fake_capture(2), fake_capture(1), fake_capture(9)])
    naps = []
    source = DeviceSource(3, open_capture=lambda index, api: next(captures), sleep_s=naps.append)
    frames = list(islice(source, 6))
    assert [frame.image is not None for frame in frames] == [True, True, False, True, False, True]
    assert "/dev/video3" in frames[2].error
    assert naps == [RETRY_S, RETRY_S]
    assert frames[0].image[0, 0].tolist() == [0, 0, 255]
    assert [f.stamp_ns for f in frames] == sorted(f.stamp_ns for f in frames)


def test_a_camera_that_is_not_there_is_one_sentence():
    with pytest.raises(SourceError, match="/dev/video99: can't be opened"):
        DeviceSource(99)


@pytest.mark.parametrize(
    ("source", "index"), [("0", 0), ("/dev/video2", 2), ("video.mp4", None), ("/dev/sda", None), ("", None)]
)
def test_devices_are_told_from_files(source, index):
    assert device_index(source) == index
