"""Videos as sources."""

import numpy as np
import pytest
from synthetic_media import HEIGHT, WIDTH, calibrated_camera, make_image, write_video

from endo_depth_ros.bags.source import DEFAULT_FRAME_ID, SourceError
from endo_depth_ros.bags.video import VideoSource
from endo_depth_ros.bags.video_writer import VideoWriter


@pytest.fixture
def video(tmp_path):
    return write_video(tmp_path / "video.mp4")


def test_every_frame_comes_in_order_as_rgb(video):
    frames = list(VideoSource(video))
    assert len(frames) == 10
    for index, frame in enumerate(frames):
        assert frame.image.shape == (HEIGHT, WIDTH, 3)
        assert np.abs(frame.image.astype(int) - make_image(index)).mean() < 6


def test_stamps_start_at_zero_and_follow_the_frame_rate(video):
    stamps_ns = [frame.stamp_ns for frame in VideoSource(video)]
    assert stamps_ns == [pytest.approx(index * 40_000_000, abs=1000) for index in range(10)]
    assert stamps_ns[0] == 0


def test_a_given_frame_rate_replaces_the_files(video):
    stamps_ns = [frame.stamp_ns for frame in VideoSource(video, fps=30.0)]
    assert stamps_ns == [round(index * 1e9 / 30) for index in range(10)]


def test_a_source_can_be_iterated_again(video):
    source = VideoSource(video)
    assert [f.stamp_ns for f in source] == [f.stamp_ns for f in source]
    assert source.frame_count == 10


def test_the_given_camera_comes_with_each_frame(video):
    camera = calibrated_camera()
    frame = next(iter(VideoSource(video, camera)))
    assert frame.camera is camera
    assert frame.frame_id == DEFAULT_FRAME_ID


def test_a_camera_of_another_size_is_named_not_used(video):
    frame = next(iter(VideoSource(video, calibrated_camera().resized(128, 96))))
    assert frame.camera is None
    assert "128x96" in frame.camera_error
    assert frame.image is not None


@pytest.mark.parametrize("suffix", ["avi", "mkv"])
def test_frames_that_a_truncated_video_promises_are_answered(tmp_path, suffix):
    path = tmp_path / f"video.{suffix}"
    noise = np.random.default_rng(0)
    with VideoWriter(path, 25.0) as writer:
        for _ in range(20):
            writer.write(noise.integers(0, 255, (240, 320, 3), np.uint8))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    frames = list(VideoSource(path))
    readable = [frame.image is not None for frame in frames]
    assert len(frames) == 20
    assert 0 < sum(readable) < 20
    assert readable == sorted(readable, reverse=True)
    assert "truncated" in frames[-1].error
    assert [frame.stamp_ns for frame in frames] == [pytest.approx(i * 40_000_000, abs=1_000_000) for i in range(20)]


@pytest.mark.parametrize("content", [b"", b"not a video at all" * 100])
def test_a_corrupt_video_is_one_sentence(tmp_path, content):
    path = tmp_path / "video.mp4"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=r"video\.mp4: "):
        VideoSource(path)


def test_a_missing_video_is_one_sentence(tmp_path):
    with pytest.raises(SourceError, match="there is no such file"):
        VideoSource(tmp_path / "none.mp4")
