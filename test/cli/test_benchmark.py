"""endo-depth benchmark, as a user runs it. What is fast here says nothing; only what is told, and that it adds up."""

import json

import cv2
import pytest
from wall import Wall

from endo_depth_ros.cli.main import main

pytestmark = pytest.mark.end_to_end

FEW = ["--frames", "3", "--warm-up", "1", "--model", "shading"]


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    """A folder of images of a wall that a camera passes."""
    folder = tmp_path_factory.mktemp("wall")
    for index in range(3):
        image = Wall().frame(0, (0.0005 * index, 0, 0))[0].image
        cv2.imwrite(str(folder / f"{index}.png"), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    return ["--input", str(folder), "--hfov", "63"]


def test_present_runtimes_are_measured_and_absent_ones_listed(tmp_path, video, monkeypatch, capsys):
    monkeypatch.setattr("endo_depth_ros.depth.runtime_cuda.TorchCuda.obstacle", staticmethod(lambda: "no NVIDIA GPU"))
    out = tmp_path / "b.json"
    arguments = [*video, *FEW, "--runtime", "torch-cuda", "torch-cpu", "--size", "320x256", "160x128", "--jpeg"]
    assert main(["benchmark", *arguments, "--json", str(out)]) == 0
    found = json.loads(out.read_text())
    assert found["absent"] == {"torch-cuda": "no NVIDIA GPU"}
    assert [(each["runtime"], each["width"], each["height"]) for each in found["results"]] == [
        ("torch-cpu", 320, 256),
        ("torch-cpu", 160, 128),
    ]
    assert (found["model"], found["weights_sha256"], found["encoding"]) == ("shading", "", "jpeg")
    assert found["settings"]["hfov_deg"] == 63.0
    in_process = found["results"][0]["in_process"]
    assert {"decode", "judge", "preprocess", "network", "post", "cloud"} <= set(in_process["stages"])
    assert in_process["verdicts"] == {"ok": 3}
    assert in_process["peak_rss_mb"] > 50
    table = capsys.readouterr().out
    assert "torch-cuda: not measured: no NVIDIA GPU" in table
    assert "160x128 in" in table


@pytest.mark.ros
def test_the_graph_answers_with_every_topic(tmp_path, video):
    out = tmp_path / "b.json"
    arguments = [*video, *FEW, "--runtime", "torch-cpu", "--graph", "--rate", "4"]
    assert main(["benchmark", *arguments, "--json", str(out)]) == 0
    result = json.loads(out.read_text())["results"][0]
    assert "publish" in result["in_process"]["stages"]
    graph = result["over_graph"]
    assert set(graph["topics"]) == {"depth/image_rect", "depth/camera_info", "depth/points", "depth/status"}
    assert 1 <= graph["answered"] <= graph["sent"] == 3
    assert set(graph["verdicts"]) == {"ok"}


def test_without_a_usable_runtime_nothing_is_measured_and_the_reason_told(video, monkeypatch, capsys):
    monkeypatch.setattr("endo_depth_ros.depth.runtime_cuda.TorchCuda.obstacle", staticmethod(lambda: "no NVIDIA GPU"))
    assert main(["benchmark", *video, *FEW, "--runtime", "torch-cuda"]) == 1
    assert "torch-cuda: not measured: no NVIDIA GPU" in capsys.readouterr().out


def test_a_precision_that_a_runtime_lacks_is_its_obstacle(video, capsys):
    assert main(["benchmark", *video, *FEW, "--runtime", "torch-cpu", "--precision", "fp16"]) == 1
    assert "torch-cpu: not measured: it offers no fp16" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--weights", "none.safetensors"], "none.safetensors: can't be read"),
        ([*FEW, "--input", "nowhere.mp4"], "nowhere.mp4: there is no such file or folder"),
        ([*FEW, "--hfov", "70"], "leave them out"),
        ([*FEW, "--params", "nowhere.yaml"], "nowhere.yaml"),
        ([*FEW, "--json", "nowhere/b.json"], "its folder does not exist"),
        ([*FEW, "--seed", "-1"], "seed is -1"),
    ],
)
def test_what_can_not_work_is_one_sentence_before_anything_is_measured(capsys, arguments, complaint):
    assert main(["benchmark", *arguments]) == 1
    error = capsys.readouterr().err
    assert complaint in error
    assert "Traceback" not in error
    assert "measuring" not in error


def test_a_video_without_a_lens_asks_for_one(video, capsys):
    assert main(["benchmark", *FEW, *video[:2]]) == 1
    assert "--hfov" in capsys.readouterr().err


def test_figures_that_are_there_are_kept_unless_forced(tmp_path, video, capsys):
    out = tmp_path / "b.json"
    out.write_text("mine")
    assert main(["benchmark", *video, *FEW, "--json", str(out)]) == 1
    assert "--force" in capsys.readouterr().err
    assert out.read_text() == "mine"


@pytest.mark.parametrize("option", [["--size", "big"], ["--frames", "0"], ["--rate", "nan"], ["--runtime", "abacus"]])
def test_impossible_arguments_are_refused(capsys, option):
    with pytest.raises(SystemExit) as end:
        main(["benchmark", *option])
    assert end.value.code == 2
    assert option[0] in capsys.readouterr().err
