"""Videos that are written."""

from contextlib import ExitStack

import numpy as np
import pytest
from synthetic_media import write_video

from endo_depth_ros.bags.output import OutputError
from endo_depth_ros.bags.video_writer import VIDEO_SUFFIXES, VideoWriter


def write_noise(path, count=40):
    """A video too large for the disks below, whose pictures don't compress."""
    noise = np.random.default_rng(0)
    with VideoWriter(path, 25.0) as writer:
        for _ in range(count):
            writer.write(noise.integers(0, 255, (240, 320, 3), np.uint8))


@pytest.mark.parametrize("suffix", VIDEO_SUFFIXES)
@pytest.mark.parametrize("limit", [0, 100_000])
def test_a_full_disk_is_one_sentence(tmp_path, full_disk, suffix, limit):
    sentence = rf"a{suffix}: .*can't (be written; free some disk space|write this video)"
    with full_disk(limit), pytest.raises(OutputError, match=sentence):
        write_noise(tmp_path / f"a{suffix}")


@pytest.mark.parametrize("suffix", VIDEO_SUFFIXES)
@pytest.mark.parametrize("count", [1, 2, 40])
def test_a_whole_video_is_no_complaint(tmp_path, suffix, count):
    write_noise(tmp_path / f"a{suffix}", count)


def test_an_error_under_way_is_not_hidden_by_the_unfinished_file(tmp_path, full_disk):
    def write_and_fail():
        with ExitStack() as limits, VideoWriter(tmp_path / "a.mp4", 25.0) as writer:
            writer.write(np.zeros((48, 64, 3), np.uint8))
            limits.enter_context(full_disk(0))
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        write_and_fail()


def test_a_closed_video_can_be_closed_again(tmp_path):
    writer = VideoWriter(tmp_path / "a.mp4", 25.0)
    writer.close()
    write_video(tmp_path / "b.mp4")
