"""Paths that may not be read."""

import os
from pathlib import Path

import pytest
from synthetic_media import write_bag, write_folder, write_video

from endo_depth_ros.bags.bag_reader import open_bag
from endo_depth_ros.bags.factory import open_source
from endo_depth_ros.bags.image_folder import ImageFolderSource
from endo_depth_ros.bags.rosbag_source import RosbagSource
from endo_depth_ros.bags.source import SourceError
from endo_depth_ros.bags.video import VideoSource

WRITERS = {"a.mcap": write_bag, "a.mp4": write_video, "images": write_folder}


@pytest.mark.parametrize(
    ("name", "read"),
    [("a.mcap", RosbagSource), ("a.mcap", open_bag), ("a.mp4", VideoSource), ("images", ImageFolderSource)]
    + [(name, open_source) for name in WRITERS],
)
def test_a_path_without_read_permission_is_one_sentence(tmp_path, monkeypatch, name, read):
    path = WRITERS[name](tmp_path / name)
    allowed = os.access
    # Root, as whom tests may run, is allowed everything.
    monkeypatch.setattr(os, "access", lambda asked, mode: Path(asked) != path and allowed(asked, mode))
    with pytest.raises(SourceError, match=rf"{name}: no permission to read it; get it with: sudo chmod a\+rX"):
        read(path)


def test_a_path_in_a_folder_that_may_not_be_entered_is_one_sentence(tmp_path, monkeypatch):
    def refuse(path, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(SourceError, match=r"a\.mp4: no permission to look for it; get it with: sudo chmod a\+x"):
        open_source(tmp_path / "a.mp4")
