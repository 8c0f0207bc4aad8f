"""The whole chain: rendering, bag, replay, depth and record as processes over DDS, report."""

import json

import cv2
import pytest
from synthetic_media import write_video

from endo_depth_ros.bags.bag_reader import open_bag
from endo_depth_ros.cli.main import main

pytestmark = [pytest.mark.ros, pytest.mark.end_to_end]


def counts(bag):
    with open_bag(bag) as opened:
        return {topic.name: topic.message_count for topic in opened.topics}


def test_the_demo_answers_every_rendered_frame_and_compares_with_the_truth(tmp_path, capsys):
    folder = tmp_path / "demo"
    assert main(["demo", "--frames", "6", "--output", str(folder)]) == 0
    metrics = json.loads((folder / "metrics.json").read_text())
    assert (metrics["frames"], metrics["frames_with_depth"], metrics["dropped_frames"]) == (6, 6, 0)
    assert metrics["images"] == 6
    assert 0 < metrics["depth"]["image_median"]["abs_rel"] < 0.3
    assert metrics["depth"]["image_median"]["coverage"] > 0.85
    assert "Error over time" in (folder / "report.html").read_text()
    received = counts(folder / "output.mcap")
    for topic in (
        "/depth/image_rect",
        "/depth/camera_info",
        "/rgb/image_rect",
        "/depth/points",
        "/depth/status",
        "/tf",
    ):
        assert received[topic] == 6
    assert cv2.imread(str(folder / "contact_sheet.png")) is not None
    assert cv2.VideoCapture(str(folder / "preview.mp4")).get(cv2.CAP_PROP_FRAME_COUNT) == 6
    assert str(folder / "contact_sheet.png") in capsys.readouterr().out


def test_the_demo_takes_a_users_video_without_truth(tmp_path, capsys):
    folder = tmp_path / "demo"
    video = write_video(tmp_path / "my video.mp4", count=8)
    assert main(["demo", "--input", str(video), "--max-frames", "5", "--output", str(folder)]) == 0
    metrics = json.loads((folder / "metrics.json").read_text())
    assert (metrics["frames"], metrics["depth"], metrics["calibrated"]) == (5, None, False)
    assert "Camera path: " in capsys.readouterr().out


def test_the_demo_does_not_delete_what_it_did_not_make(tmp_path, capsys):
    (tmp_path / "thesis.tex").write_text("years of work")
    assert main(["demo", "--frames", "1", "--output", str(tmp_path)]) == 1
    assert "thesis.tex" in capsys.readouterr().err
    assert (tmp_path / "thesis.tex").exists()


def test_a_bad_input_is_told_before_an_earlier_demo_is_removed(tmp_path, capsys):
    folder = tmp_path / "demo"
    folder.mkdir()
    (folder / "metrics.json").write_text("{}")
    for bad in (tmp_path / "nowhere.mp4", folder / "output.mcap"):
        assert main(["demo", "--input", str(bad), "--output", str(folder)]) == 1
        assert str(bad) in capsys.readouterr().err
    assert (folder / "metrics.json").exists()
