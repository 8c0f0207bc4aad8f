"""Which source a path becomes."""

import pytest
from synthetic_media import write_bag, write_folder, write_video

from endo_depth_ros.bags.factory import open_source
from endo_depth_ros.bags.image_folder import ImageFolderSource
from endo_depth_ros.bags.rosbag_source import RosbagSource
from endo_depth_ros.bags.source import SourceError
from endo_depth_ros.bags.video import VideoSource


def test_each_kind_of_input_finds_its_source(tmp_path):
    assert isinstance(open_source(write_video(tmp_path / "a.mp4")), VideoSource)
    assert isinstance(open_source(write_folder(tmp_path / "images")), ImageFolderSource)
    bag = write_bag(tmp_path / "b.mcap")
    assert isinstance(open_source(bag), RosbagSource)
    folder = tmp_path / "bag"
    folder.mkdir()
    bag.rename(folder / "bag_0.mcap")
    assert isinstance(open_source(folder), RosbagSource)


def test_a_missing_path_is_one_sentence(tmp_path):
    with pytest.raises(SourceError, match="no such file or folder"):
        open_source(tmp_path / "none")


def test_a_ros_1_bag_is_named_with_the_command_that_converts_it(tmp_path):
    (tmp_path / "old.bag").touch()
    with pytest.raises(SourceError, match="rosbags-convert"):
        open_source(tmp_path / "old.bag")


def test_a_folder_of_nothing_known_is_one_sentence(tmp_path):
    with pytest.raises(SourceError, match="neither a bag"):
        open_source(tmp_path)
