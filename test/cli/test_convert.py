"""endo-depth convert."""

import numpy as np
import pytest
from synthetic_media import (
    FRAME_ID,
    PERIOD_NS,
    START_NS,
    calibrated_camera,
    make_image,
    write_bag,
    write_corrupt_sqlite,
    write_folder,
    write_video,
)

from endo_depth_ros.bags.bag_reader import open_bag
from endo_depth_ros.bags.camera_yaml import read_camera, write_camera
from endo_depth_ros.bags.factory import open_source
from endo_depth_ros.cli.main import main


def run(*arguments: object) -> int:
    """The command's exit code."""
    return main(["convert", *map(str, arguments)])


def test_a_video_becomes_a_bag_with_camera_info_of_the_same_stamps(tmp_path):
    write_camera(tmp_path / "camera.yaml", calibrated_camera())
    video, bag = write_video(tmp_path / "video.mp4"), tmp_path / "bag.mcap"
    assert run(video, bag, "--camera", tmp_path / "camera.yaml", "--frame-id", "scope") == 0
    with open_bag(bag) as opened:
        stamps = {name: [m.stamp_ns for m in opened.messages() if m.topic.name == name] for name in TOPICS}
    assert stamps["/image_raw"] == stamps["/camera_info"]
    frames = list(open_source(bag))
    assert [frame.stamp_ns for frame in frames] == [pytest.approx(10**9 + i * 40_000_000, abs=1000) for i in range(10)]
    assert {frame.frame_id for frame in frames} == {"scope"}
    assert all(frame.camera == calibrated_camera_as_read(tmp_path) for frame in frames)


TOPICS = ("/image_raw", "/camera_info")


def calibrated_camera_as_read(folder):
    """The camera of the YAML file in the folder."""
    return read_camera(folder / "camera.yaml")


def test_an_assumed_field_of_view_stays_uncalibrated_through_the_bag(tmp_path):
    assert run(write_folder(tmp_path / "images"), tmp_path / "bag.mcap", "--hfov", 70, "--fps", 10) == 0
    frames = list(open_source(tmp_path / "bag.mcap"))
    assert len(frames) == 12
    assert not any(frame.camera.calibrated for frame in frames)
    assert frames[1].stamp_ns - frames[0].stamp_ns == 10**8


def test_a_bag_becomes_a_folder_and_the_same_bag_again(tmp_path):
    bag = write_bag(tmp_path / "bag.mcap", 5, calibrated_camera())
    folder, again = tmp_path / "images", tmp_path / "again.mcap"
    assert run(bag, folder) == 0
    assert run(folder, again, "--frame-id", FRAME_ID) == 0
    frames = list(open_source(again))
    for index, (frame, original) in enumerate(zip(frames, open_source(bag), strict=True)):
        assert (frame.stamp_ns, frame.frame_id) == (START_NS + index * PERIOD_NS, FRAME_ID)
        np.testing.assert_array_equal(frame.image, original.image)
        np.testing.assert_array_equal(frame.camera.K, original.camera.K)


def test_a_bag_becomes_a_video_of_its_rate(tmp_path):
    assert run(write_bag(tmp_path / "bag.mcap", 10), tmp_path / "video.mp4") == 0
    source = open_source(tmp_path / "video.mp4")
    frames = list(source)
    assert source.fps == pytest.approx(25)
    assert len(frames) == 10
    assert np.abs(frames[7].image.astype(int) - make_image(7)).mean() < 6


def test_jpeg_bags_are_small_and_alike(tmp_path):
    assert run(write_folder(tmp_path / "images"), tmp_path / "bag.mcap", "--jpeg") == 0
    source = open_source(tmp_path / "bag.mcap")
    assert source.image_topic == "/image_raw/compressed"
    assert np.abs(next(iter(source)).image.astype(int) - make_image(0)).mean() < 6


def test_a_truncated_bag_is_recovered_into_a_sound_one(tmp_path, capsys):
    bag = write_bag(tmp_path / "bag.mcap", 400, calibrated_camera())
    bag.write_bytes(bag.read_bytes()[: bag.stat().st_size // 2])
    assert run(bag, tmp_path / "good.mcap") == 0
    warning = capsys.readouterr().err.splitlines()[0]
    assert warning.startswith(f"warning: {bag}: it ends in mid-recording")
    assert "recover it" not in warning
    with open_bag(tmp_path / "good.mcap") as opened:
        assert not opened.warning
        assert opened.message_count > 100


def test_of_a_corrupt_bag_what_comes_before_is_kept(tmp_path, capsys):
    path = write_corrupt_sqlite(tmp_path / "bag")
    assert run(path, tmp_path / "good.mcap") == 0
    error = capsys.readouterr().err
    assert "the bag is corrupt" in error
    assert "recover it" not in error
    with open_bag(tmp_path / "good.mcap") as opened:
        assert 0 < opened.message_count < 2000


def test_a_full_disk_leaves_the_old_video(tmp_path, full_disk, capsys):
    video = write_video(tmp_path / "a.mp4")
    content = video.read_bytes()
    folder = write_folder(tmp_path / "images")
    with full_disk(len(content) // 2):
        assert run(folder, video, "--force") == 1
    assert "can't be written; free some disk space" in capsys.readouterr().err
    assert video.read_bytes() == content


@pytest.mark.parametrize("option", [("--fps", "inf"), ("--hfov", "200"), ("--max-frames", "0"), ("--start", "nan")])
def test_a_number_out_of_range_is_named_with_its_option(tmp_path, capsys, option):
    with pytest.raises(SystemExit):
        run(tmp_path / "a.mp4", tmp_path / "a.mcap", *option)
    assert f"argument {option[0]}: {option[1]} is no" in capsys.readouterr().err


def test_frames_that_cannot_be_read_are_named_and_left_out(tmp_path, capsys):
    folder = write_folder(tmp_path / "images")
    (folder / "2.png").write_bytes(b"broken")
    assert run(folder, tmp_path / "bag.mcap") == 0
    assert "2.png" in capsys.readouterr().err
    assert open_source(tmp_path / "bag.mcap").frame_count == 11


def test_the_first_frames_can_be_enough(tmp_path):
    assert run(write_folder(tmp_path / "images"), tmp_path / "bag.mcap", "--max-frames", 5) == 0
    assert open_source(tmp_path / "bag.mcap").frame_count == 5


def test_existing_output_is_refused_unless_forced(tmp_path, capsys):
    folder, bag = write_folder(tmp_path / "images"), tmp_path / "bag.mcap"
    bag.write_text("precious")
    assert run(folder, bag) == 1
    assert "--force" in capsys.readouterr().err
    assert bag.read_text() == "precious"
    assert run(folder, bag, "--force") == 0
    assert open_source(bag).frame_count == 12


def test_a_folder_of_something_else_is_never_replaced(tmp_path, capsys):
    photos = write_folder(tmp_path / "photos")
    before = sorted(photos.iterdir())
    assert run(write_bag(tmp_path / "bag.mcap", 2), photos, "--force") == 1
    assert "no folder that convert wrote" in capsys.readouterr().err
    assert sorted(photos.iterdir()) == before


def test_a_folder_that_convert_wrote_is_replaced_when_forced(tmp_path):
    folder = tmp_path / "images"
    assert run(write_bag(tmp_path / "long.mcap", 5), folder) == 0
    assert run(write_bag(tmp_path / "short.mcap", 2), folder, "--force") == 0
    assert len(list(folder.glob("*.png"))) == 2


@pytest.mark.parametrize("option", [("--jpeg",), ("--start", "5"), ("--frame-id", "scope"), ("--compression", "zstd")])
@pytest.mark.parametrize("name", ["images", "film.mp4"])
def test_options_for_bags_are_refused_where_none_is_written(tmp_path, capsys, option, name):
    assert run(write_bag(tmp_path / "bag.mcap", 2), tmp_path / name, *option) == 1
    assert f"{option[0]} has no effect: {name} is no bag" in capsys.readouterr().err
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize(
    "option", [("--jpeg",), ("--start", "5"), ("--image-topic", "/image_raw"), ("--frame-id", "scope")]
)
def test_options_that_a_copied_bag_cannot_obey_are_refused(tmp_path, capsys, option):
    assert run(write_bag(tmp_path / "bag.mcap", 2), tmp_path / "copy.mcap", *option) == 1
    assert f"{option[0]} has no effect" in capsys.readouterr().err
    assert not (tmp_path / "copy.mcap").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("none.mp4", "a.mcap"), "no such file"),
        (("empty", "a.mcap"), "neither a bag"),
        (("images", "a.doc"), "unknown kind of output"),
        (("images", "a.mcap", "--camera", "none.yaml"), "none.yaml"),
        (("images", "no/a.mcap"), "does not exist"),
        (("rotten", "a.mcap"), "none of its frames can be read"),
    ],
)
def test_bad_input_is_one_sentence_and_leaves_nothing(tmp_path, monkeypatch, capsys, arguments, words):
    monkeypatch.chdir(tmp_path)
    write_folder(tmp_path / "images")
    (tmp_path / "empty").mkdir()
    (tmp_path / "rotten").mkdir()
    (tmp_path / "rotten" / "a.png").write_bytes(b"x")
    before = sorted(tmp_path.iterdir())
    assert run(*arguments) == 1
    error = capsys.readouterr().err
    assert words in error
    assert error.splitlines()[-1].startswith("endo-depth convert: ")
    assert sorted(tmp_path.iterdir()) == before
