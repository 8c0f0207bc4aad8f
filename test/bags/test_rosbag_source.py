"""Bags as sources of frames."""

import numpy as np
import pytest
from synthetic_media import FRAME_ID, HEIGHT, PERIOD_NS, START_NS, WIDTH, calibrated_camera, make_image, write_bag

from endo_depth_ros.bags.bag import BagTopic
from endo_depth_ros.bags.bag_writer import BagWriter
from endo_depth_ros.bags.messages import TYPESTORE, make_camera_info, make_color_image, make_compressed_image
from endo_depth_ros.bags.rosbag_source import RosbagSource, camera_info_topic
from endo_depth_ros.bags.source import SourceError
from endo_depth_ros.geometry.camera import Camera, pinhole_from_hfov


def test_frames_carry_image_stamp_frame_and_camera_of_the_bag(tmp_path):
    camera = calibrated_camera()
    source = RosbagSource(write_bag(tmp_path / "bag.mcap", 4, camera))
    frames = list(source)
    assert source.frame_count == len(frames) == 4
    for index, frame in enumerate(frames):
        assert (frame.stamp_ns, frame.frame_id) == (START_NS + index * PERIOD_NS, FRAME_ID)
        np.testing.assert_array_equal(frame.image, make_image(index))
        np.testing.assert_array_equal(frame.camera.K, camera.K)
        assert frame.camera.calibrated


def test_a_bag_without_camera_info_says_what_to_give(tmp_path):
    frames = list(RosbagSource(write_bag(tmp_path / "bag.mcap", 2)))
    assert all(frame.camera is None and "--hfov" in frame.camera_error for frame in frames)


def test_a_given_camera_replaces_that_of_the_bag(tmp_path):
    mine = Camera(WIDTH, HEIGHT, np.diag([99.0, 99.0, 1.0]))
    frames = list(RosbagSource(write_bag(tmp_path / "bag.mcap", 2, calibrated_camera()), mine))
    assert all(frame.camera is mine for frame in frames)


def test_an_assumed_focal_length_stays_uncalibrated(tmp_path):
    camera = pinhole_from_hfov(WIDTH, HEIGHT, 80.0)
    frames = list(RosbagSource(write_bag(tmp_path / "bag.mcap", 2, camera)))
    assert not frames[0].camera.calibrated
    np.testing.assert_allclose(frames[0].camera.K, camera.K)


def test_camera_info_of_the_same_stamp_wins_though_it_comes_after_the_image(tmp_path):
    path = tmp_path / "bag.mcap"
    with BagWriter(path) as writer:
        for index in range(4):
            camera = Camera(WIDTH, HEIGHT, np.array([[50.0 + index, 0, 32], [0, 50, 24], [0, 0, 1]]))
            image = make_color_image(index, "c", make_image(index))
            writer.write_message("/cam/image_raw", 10 * index, image)
            writer.write_message("/cam/camera_info", 10 * index + 5, make_camera_info(index, "c", camera))
    frames = list(RosbagSource(path))
    assert [frame.camera.K[0, 0] for frame in frames] == [50, 51, 52, 53]


def test_one_late_camera_info_serves_all_images(tmp_path):
    path = tmp_path / "bag.mcap"
    with BagWriter(path) as writer:
        for index in range(3):
            writer.write_message("/image_raw", index, make_color_image(index, "c", make_image(index)))
        writer.write_message("/camera_info", 9, make_camera_info(9, "c", calibrated_camera()))
    assert all(frame.camera is not None for frame in RosbagSource(path))


def test_unusable_camera_info_is_named_and_the_image_kept(tmp_path):
    small = calibrated_camera().resized(32, 24)
    frames = list(RosbagSource(write_bag(tmp_path / "bag.mcap", 2, small)))
    assert frames[0].image is not None
    assert frames[0].camera is None
    assert "/camera_info: " in frames[0].camera_error


def test_compressed_images_are_read(tmp_path):
    path = tmp_path / "bag.mcap"
    with BagWriter(path) as writer:
        message = make_compressed_image(7, "c", make_image(2), 95)
        writer.write_message("/cam/image_raw/compressed", 7, message)
        writer.write_message("/cam/camera_info", 7, make_camera_info(7, "c", calibrated_camera()))
    (frame,) = RosbagSource(path)
    assert np.abs(frame.image.astype(int) - make_image(2)).mean() < 6
    assert frame.camera is not None


def test_bad_images_are_answered_and_the_rest_go_on(tmp_path):
    path = tmp_path / "bag.mcap"
    good = make_color_image(1, "c", make_image(0))
    bad = make_color_image(2, "c", make_image(0))
    bad.data = bad.data[:100]
    with BagWriter(path) as writer:
        writer.write_message("/image_raw", 1, good)
        writer.write_message("/image_raw", 2, bad)
        writer.write("/image_raw", 3, b"\x00\x01\x00\x00\x01")
        writer.write_message("/image_raw", 4, good)
    frames = list(RosbagSource(path))
    assert [frame.image is None for frame in frames] == [False, True, True, False]
    assert all("/image_raw: " in frame.error for frame in frames[1:3])


def test_depth_images_do_not_hide_the_colour_image(tmp_path):
    path = tmp_path / "bag.mcap"
    with BagWriter(path) as writer:
        for topic in ("/endo/image_raw", "/endo/depth/image_rect", "/endo/depth/image_color"):
            writer.write_message(topic, 1, make_color_image(1, "c", make_image(0)))
    assert RosbagSource(path).image_topic == "/endo/image_raw"


def test_raw_is_preferred_to_its_own_compressed_twin(tmp_path):
    path = tmp_path / "bag.mcap"
    with BagWriter(path) as writer:
        writer.write_message("/image_raw", 1, make_color_image(1, "c", make_image(0)))
        writer.write_message("/image_raw/compressed", 1, make_compressed_image(1, "c", make_image(0), 90))
    assert RosbagSource(path).image_topic == "/image_raw"


def test_several_image_topics_are_listed_and_one_can_be_chosen(tmp_path):
    path = tmp_path / "bag.mcap"
    with BagWriter(path) as writer:
        for topic in ("/left/image_raw", "/right/image_raw"):
            writer.write_message(topic, 1, make_color_image(1, "c", make_image(0)))
    with pytest.raises(SourceError, match="--image-topic as one of: /left/image_raw, /right/image_raw"):
        RosbagSource(path)
    assert RosbagSource(path, image_topic="/right/image_raw").frame_count == 1
    with pytest.raises(SourceError, match="no images on /up"):
        RosbagSource(path, image_topic="/up")


def test_a_bag_without_images_is_one_sentence(tmp_path):
    path = tmp_path / "bag.mcap"
    with BagWriter(path) as writer:
        writer.add_topic(BagTopic("/chatter", "std_msgs/msg/String"))
        text = TYPESTORE.types["std_msgs/msg/String"]("hello")
        writer.write_message("/chatter", 1, text)
    with pytest.raises(SourceError, match="no images in this bag"):
        RosbagSource(path)


@pytest.mark.parametrize(
    ("image", "info"),
    [
        ("/image_raw", "/camera_info"),
        ("/a/b/image_raw/compressed", "/a/b/camera_info"),
        ("/a/image_rect", "/a/camera_info"),
    ],
)
def test_camera_info_is_looked_for_beside_the_image(image, info):
    assert camera_info_topic(image) == info
