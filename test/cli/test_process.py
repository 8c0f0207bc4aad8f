"""endo-depth process, as a user runs it."""

import csv
import errno
import json

import cv2
import numpy as np
import pytest
import yaml
from synthetic_media import FRAME_ID, START_NS, calibrated_camera, write_bag, write_folder, write_video

from endo_depth_ros.bags.camera_yaml import read_camera, write_camera
from endo_depth_ros.cli import process
from endo_depth_ros.cli.main import main
from endo_depth_ros.depth.pipeline import DepthPipeline

pytestmark = pytest.mark.end_to_end


def rows(output):
    with (output / "states.csv").open() as file:
        return list(csv.DictReader(file))


def depths(output):
    return [np.load(path) for path in sorted((output / "depth").glob("*.npy"))]


def test_every_frame_of_a_video_has_depth_sigma_and_a_row(tmp_path):
    video, out = write_video(tmp_path / "v.mp4", count=6), tmp_path / "out"
    assert main(["process", str(video), "--hfov", "70", "--output", str(out)]) == 0
    assert [path.name for path in sorted((out / "depth").iterdir())] == [f"{i:06d}.npy" for i in range(6)]
    assert len(list((out / "sigma").iterdir())) == len(rows(out)) == 6
    assert all(depth.dtype == np.float32 and depth.shape == (48, 64) for depth in depths(out))
    assert [int(row["stamp_ns"]) for row in rows(out)] == [round(i * 1e9 / 25) for i in range(6)]
    summary = json.loads((out / "summary.json").read_text())
    assert (summary["frames"], summary["complete"], summary["scale_states"]) == (6, True, {"nominal": 6})
    preview = cv2.VideoCapture(str(out / "preview.mp4"))
    assert preview.get(cv2.CAP_PROP_FRAME_COUNT) == 6


def test_an_assumed_lens_is_called_uncalibrated(tmp_path):
    out = tmp_path / "out"
    main(["process", str(write_video(tmp_path / "v.mp4", 2)), "--hfov", "70", "--output", str(out)])
    assert {row["calibrated"] for row in rows(out)} == {"false"}
    assert not read_camera(out / "camera.yaml").calibrated


def test_a_calibration_file_gives_the_camera_of_the_output(tmp_path):
    write_camera(tmp_path / "camera.yaml", calibrated_camera())
    out = tmp_path / "out"
    folder = write_folder(tmp_path / "images", 3)
    main(["process", str(folder), "--camera", str(tmp_path / "camera.yaml"), "--output", str(out)])
    np.testing.assert_allclose(read_camera(out / "camera.yaml").K, calibrated_camera().K)
    assert len(yaml.safe_load((out / "camera.yaml").read_text())["projection_matrix"]["data"]) == 12


def test_a_bag_keeps_its_stamps_and_calibration(tmp_path):
    out = tmp_path / "out"
    bag = write_bag(tmp_path / "b.mcap", 3, calibrated_camera())
    assert main(["process", str(bag), "--output", str(out)]) == 0
    assert int(rows(out)[0]["stamp_ns"]) == START_NS
    assert {row["calibrated"] for row in rows(out)} == {"true"}


def test_every_nth_frame_and_no_more_than_asked_for(tmp_path):
    out = tmp_path / "out"
    arguments = ["process", str(write_video(tmp_path / "v.mp4", 10)), "--hfov", "70", "--output", str(out)]
    main([*arguments, "--every", "3", "--max-frames", "2"])
    assert [row["input_frame"] for row in rows(out)] == ["0", "3"]


def test_a_corrupt_image_is_a_frame_without_depth_and_the_rest_go_on(tmp_path):
    folder, out = write_folder(tmp_path / "images", 4), tmp_path / "out"
    for broken in ("0.png", "2.png"):
        (folder / broken).write_bytes(b"not an image")
    assert main(["process", str(folder), "--hfov", "70", "--output", str(out)]) == 0
    assert [row["verdict"] for row in rows(out)] == ["invalid_input", "ok", "invalid_input", "ok"]
    assert "0.png" in rows(out)[0]["reason"]
    assert [np.isfinite(depth).any() for depth in depths(out)] == [False, True, False, True]
    assert {depth.shape for depth in depths(out)} == {(48, 64)}


def test_without_calibration_the_reason_is_in_every_row(tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["process", str(write_video(tmp_path / "v.mp4", 2)), "--output", str(out)]) == 1
    assert {row["verdict"] for row in rows(out)} == {"invalid_input"}
    assert "--hfov" in rows(out)[0]["reason"]


def test_parameters_come_from_the_nodes_file_and_the_command_line_wins(tmp_path):
    parameters, out = tmp_path / "p.yaml", tmp_path / "out"
    parameters.write_text("/**/depth_node: {ros__parameters: {input_width: 32, hfov_deg: 50.0, queue_size: 7}}\n")
    arguments = ["process", str(write_video(tmp_path / "v.mp4", 1)), "--output", str(out), "--params", str(parameters)]
    assert main([*arguments, "--hfov", "90"]) == 0
    camera = read_camera(out / "camera.yaml")
    assert camera.width == 32
    assert camera.K[0, 0] == pytest.approx(16.0)


def test_results_that_are_there_are_kept_unless_forced(tmp_path, capsys):
    video, out = write_video(tmp_path / "v.mp4", 3), tmp_path / "out"
    arguments = ["process", str(video), "--hfov", "70", "--output", str(out)]
    assert main(arguments) == 0
    before = (out / "states.csv").read_text()
    assert main([*arguments, "--max-frames", "1"]) == 1
    assert "--force" in capsys.readouterr().err
    assert (out / "states.csv").read_text() == before
    assert main([*arguments, "--max-frames", "1", "--force"]) == 0
    assert len(depths(out)) == 1


def test_an_interrupted_run_keeps_what_it_has_computed(tmp_path, monkeypatch, capsys):
    out, real, calls = tmp_path / "out", DepthPipeline.finish, []

    def interrupted(self, begun):
        calls.append(begun)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(self, begun)

    monkeypatch.setattr(DepthPipeline, "finish", interrupted)
    arguments = ["process", str(write_video(tmp_path / "v.mp4", 5)), "--hfov", "70", "--output", str(out)]
    assert main(arguments) == 130
    assert len(depths(out)) == len(rows(out)) == 2
    assert json.loads((out / "summary.json").read_text())["complete"] is False


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["nowhere.mp4"], "no such file"),
        (["VIDEO", "--model", "dream"], "choose one of: endo_depth_small, shading"),
        (["VIDEO", "--camera", "nowhere.yaml"], "nowhere.yaml"),
        (["VIDEO", "--hfov", "175"], "hfov"),
        (["VIDEO", "--params", "nowhere.yaml"], "nowhere.yaml"),
        (["EMPTY"], "neither a bag"),
    ],
)
def test_what_can_not_work_is_one_sentence(tmp_path, capsys, arguments, complaint):
    (tmp_path / "empty").mkdir()
    known = {"VIDEO": str(write_video(tmp_path / "v.mp4", 1)), "EMPTY": str(tmp_path / "empty")}
    words = [known.get(word, word) for word in arguments]
    assert main(["process", *words, "--output", str(tmp_path / "out")]) == 1
    error = capsys.readouterr().err
    assert complaint in error
    assert "Traceback" not in error


@pytest.mark.parametrize("option", [["--every", "0"], ["--hfov", "190"], ["--fps", "inf"], ["--max-frames", "-1"]])
def test_impossible_numbers_are_refused_before_anything_is_written(tmp_path, capsys, option):
    with pytest.raises(SystemExit) as end:
        main(["process", "video.mp4", "--output", str(tmp_path / "out"), *option])
    assert end.value.code == 2
    assert option[0] in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_calibration_in_the_output_folder_is_never_overwritten(tmp_path, capsys):
    out = tmp_path / "out"
    out.mkdir()
    write_camera(out / "camera.yaml", calibrated_camera())
    (out / "camera_left.yaml").write_text("mine")
    video, mine = write_video(tmp_path / "v.mp4", 1), (out / "camera.yaml").read_text()
    assert main(["process", str(video), "--camera", str(out / "camera.yaml"), "--output", str(out), "--force"]) == 1
    assert main(["process", str(video), "--hfov", "70", "--output", str(out)]) == 1
    assert (out / "camera.yaml").read_text() == mine
    assert main(["process", str(video), "--hfov", "70", "--output", str(out), "--force"]) == 0
    assert (out / "camera_left.yaml").read_text() == "mine"


def test_without_any_depth_the_report_says_why_and_names_no_preview(tmp_path, capsys):
    main(["process", str(write_video(tmp_path / "v.mp4", 2)), "--output", str(tmp_path / "out")])
    report = capsys.readouterr().out
    assert "no depth: no calibration" in report
    assert "preview" not in report
    assert not (tmp_path / "out" / "preview.mp4").exists()


def test_a_disk_that_refuses_is_named_with_the_remedy_and_keeps_the_rows(tmp_path, monkeypatch, capsys):
    out, real, saved = tmp_path / "out", np.save, []

    def full(path, array):
        saved.append(path)
        if len(saved) > 4:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(path, array)

    monkeypatch.setattr(np, "save", full)
    arguments = ["process", str(write_video(tmp_path / "v.mp4", 5)), "--hfov", "70", "--output", str(out)]
    assert main(arguments) == 1
    assert "free some disk space" in capsys.readouterr().err
    assert len(rows(out)) == len(depths(out)) == 2


def test_frames_are_chosen_lazily():
    taken = []

    def source():
        for index in range(100):
            taken.append(index)
            yield index

    assert list(process.chosen_frames(source(), every=4, max_frames=2)) == [0, 4]
    assert len(taken) <= 9


def test_frame_id_of_the_bag_is_kept(tmp_path, monkeypatch):
    seen, real = [], DepthPipeline.begin
    monkeypatch.setattr(DepthPipeline, "begin", lambda self, frame: seen.append(frame.frame_id) or real(self, frame))
    bag = write_bag(tmp_path / "b.mcap", 1, calibrated_camera())
    main(["process", str(bag), "--output", str(tmp_path / "out")])
    assert seen == [FRAME_ID]
