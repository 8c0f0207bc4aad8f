"""endo-depth evaluate, as a user runs it."""

import csv
import json
import re
from dataclasses import replace

import cv2
import miniature_datasets as trees
import numpy as np
import pytest
from ellipsoid_scene import views

from endo_depth_ros.bags.bag_writer import BagWriter
from endo_depth_ros.bags.frames_to_bag import FrameBagOptions
from endo_depth_ros.bags.messages import make_camera_info, make_color_image, make_depth_image
from endo_depth_ros.cli.main import main
from endo_depth_ros.contracts import Frame
from endo_depth_ros.datasets.truth_bag import write_truth
from endo_depth_ros.datasets.truth_sequence import TruthFrame
from endo_depth_ros.geometry.camera import Camera

pytest.importorskip("matplotlib")
pytestmark = pytest.mark.end_to_end

CAMERA = Camera(96, 80, np.array([[80.0, 0, 47.5], [0, 80.0, 39.5], [0, 0, 1]]))
EASY = ["--model", "shading", "--params"]


def lit(depth):
    """uint8 [H, W, 3]: tissue by the light of the scope's tip."""
    light = (depth.min() / depth) ** 2
    return (np.clip(0.25 + 0.6 * light, 0, 1)[..., None] ** (1 / 2.2) * np.array([230, 120, 100])).astype(np.uint8)


def truth_frames(count=4):
    for index, (T, depth, _) in enumerate(views(CAMERA, count)):
        frame = Frame(10**9 + index * 40_000_000, "scope", lit(depth), CAMERA)
        yield TruthFrame(frame, depth.astype(np.float32), T)


@pytest.fixture
def parameters(tmp_path):
    """Takes any frame: these are no pictures of an endoscope."""
    path = tmp_path / "p.yaml"
    path.write_text("/**: {ros__parameters: {max_edge_width_px: 0.0, max_cold_fraction: 1.0, max_veil: 1.0}}\n")
    return path


def write(path, count=4, jpeg=False):
    write_truth(truth_frames(count), path, FrameBagOptions(jpeg=jpeg))
    return path


def metrics_of(output):
    metrics = json.loads((output / "metrics.json").read_text())
    return {name: value for name, value in metrics.items() if name != "times"}


def evaluate(parameters, output, *words):
    return main(["evaluate", *map(str, words), *EASY, str(parameters), "--output", str(output)])


def test_a_bag_gives_figures_rows_plots_and_one_page_that_loads_nothing(tmp_path, parameters):
    out = tmp_path / "out"
    assert evaluate(parameters, out, write(tmp_path / "b.mcap")) == 0
    metrics = metrics_of(out)
    assert (metrics["schema_version"], metrics["frames"], metrics["images"]) == (1, 4, 4)
    assert metrics["headline"] == "sequence_median"
    assert 0 < metrics["depth"]["sequence_median"]["abs_rel"] < 0.5
    assert metrics["depth"]["sequence_median"]["coverage"] > 0.9
    assert metrics["temporal"]["pairs"] == 3
    rows = list(csv.DictReader((out / "frames.csv").open()))
    mean = np.mean([float(row["sequence_median.abs_rel"]) for row in rows])
    assert metrics["depth"]["sequence_median"]["abs_rel"] == pytest.approx(mean, abs=1e-9)
    pictures = {path.name: cv2.imread(str(path)) for path in (out / "plots").glob("*.png")}
    named = {"error_over_time", "states", "depths", "sigma", "latency", "examples"}
    assert set(pictures) == {f"{name}.png" for name in named}
    assert all(picture is not None for picture in pictures.values())
    page = (out / "report.html").read_text()
    assert page.count("data:image/png;base64,") == len(named)
    assert not re.search(r"""(src|href)=["'](?!data:)""", page)
    assert "not a medical device" in page


def test_compressed_images_and_other_tools_topics_give_the_same_rows(tmp_path, parameters):
    """A bag of another recorder: truth in millimetres on a topic of its own, no camera_info beside it."""
    bag = tmp_path / "other.mcap"
    with BagWriter(bag) as writer:
        for truth in truth_frames():
            stamp_ns = truth.frame.stamp_ns
            writer.write_message("/cam/image", stamp_ns, make_color_image(stamp_ns, "scope", truth.frame.image))
            writer.write_message("/cam/camera_info", stamp_ns, make_camera_info(stamp_ns, "scope", CAMERA))
            writer.write_message("/depth_gt/image", stamp_ns, make_depth_image(stamp_ns, "scope", truth.depth))
    a, b = tmp_path / "a", tmp_path / "b"
    assert evaluate(parameters, a, bag, "--truth-depth", "/depth_gt/image", "--image-topic", "/cam/image") == 0
    assert evaluate(parameters, b, write(tmp_path / "b.mcap")) == 0
    assert metrics_of(a)["depth"] == metrics_of(b)["depth"]
    assert metrics_of(a)["temporal"] is None
    assert evaluate(parameters, tmp_path / "c", write(tmp_path / "j.mcap", jpeg=True)) == 0
    assert metrics_of(tmp_path / "c")["depth"]["sequence_median"]["abs_rel"] == pytest.approx(
        metrics_of(b)["depth"]["sequence_median"]["abs_rel"], abs=0.02
    )


def test_refined_depth_needs_no_true_poses(tmp_path, parameters):
    pytest.importorskip("gtsam")
    path = tmp_path / "no_poses.mcap"
    write_truth((replace(frame, T_world_camera=None) for frame in truth_frames()), path, FrameBagOptions())
    assert evaluate(parameters, tmp_path / "out", path, "--refined") == 0
    metrics = metrics_of(tmp_path / "out")
    assert metrics["refined"] is True
    assert metrics["pose"] is None
    assert not any("true pose" in note for note in metrics["recordings"][0]["notes"])


def test_a_truncated_bag_is_evaluated_as_far_as_it_goes(tmp_path, parameters):
    bag = write(tmp_path / "b.mcap", 40)
    bag.write_bytes(bag.read_bytes()[: round(0.8 * bag.stat().st_size)])
    assert evaluate(parameters, tmp_path / "out", bag) == 0
    assert 1 <= metrics_of(tmp_path / "out")["images"] < 40


def test_a_bag_without_truth_is_a_sentence(tmp_path, parameters, capsys):
    bag = tmp_path / "b.mcap"
    with BagWriter(bag) as writer:
        for truth in truth_frames():
            stamp_ns = truth.frame.stamp_ns
            writer.write_message("/image_raw", stamp_ns, make_color_image(stamp_ns, "scope", truth.frame.image))
            writer.write_message("/camera_info", stamp_ns, make_camera_info(stamp_ns, "scope", CAMERA))
    assert evaluate(parameters, tmp_path / "out", bag) == 1
    error = capsys.readouterr().err
    assert "no true depth on /truth/depth; give --truth-depth TOPIC (images in this bag: /image_raw)" in error
    assert "Traceback" not in error


def test_a_bag_without_images_but_true_depth_is_a_sentence(tmp_path, parameters, capsys):
    bag = tmp_path / "b.mcap"
    with BagWriter(bag) as writer:
        for truth in truth_frames():
            stamp_ns = truth.frame.stamp_ns
            writer.write_message("/truth/depth", stamp_ns, make_depth_image(stamp_ns, "scope", truth.depth))
    assert evaluate(parameters, tmp_path / "out", bag) == 1
    assert "its only images are the true depth on /truth/depth" in capsys.readouterr().err


def test_without_a_calibration_nothing_is_answered_and_every_row_says_why(tmp_path, parameters, capsys):
    bag = tmp_path / "b.mcap"
    with BagWriter(bag) as writer:
        for truth in truth_frames():
            stamp_ns = truth.frame.stamp_ns
            writer.write_message("/image_raw", stamp_ns, make_color_image(stamp_ns, "scope", truth.frame.image))
            writer.write_message("/truth/depth", stamp_ns, make_depth_image(stamp_ns, "scope", truth.depth))
    assert evaluate(parameters, tmp_path / "out", bag) == 0
    assert "None of 4 images got an answer, most often because: " in capsys.readouterr().out
    assert metrics_of(tmp_path / "out")["unanswered"] == 4
    assert metrics_of(tmp_path / "out")["verdicts"] == {"invalid_input": 4}
    assert "--hfov" in (tmp_path / "out" / "frames.csv").read_text()
    assert evaluate(parameters, tmp_path / "assumed", bag, "--hfov", "62") == 0
    assert metrics_of(tmp_path / "assumed")["unanswered"] == 0


def test_failures_are_listed_and_others_go_on_and_a_second_run_goes_on_from_there(tmp_path, parameters, capsys):
    good, bad, out = write(tmp_path / "good.mcap"), tmp_path / "bad.mcap", tmp_path / "out"
    bad.write_bytes(b"nothing")
    assert evaluate(parameters, out, bad, good) == 1
    assert "failed: bad: " in capsys.readouterr().err
    assert metrics_of(out)["images"] == 4
    assert metrics_of(out)["failures"][0]["name"] == "bad"
    write(tmp_path / "new.mcap", 3).replace(bad)
    assert evaluate(parameters, out, bad, good) == 0
    states = {row["recording"]: row["state"] for row in csv.DictReader((out / "recordings.csv").open())}
    assert states == {"bad": "done", "good": "done before"}
    assert metrics_of(out)["images"] == 7


def test_a_run_with_other_settings_is_kept_unless_forced(tmp_path, parameters, capsys):
    bag, out = write(tmp_path / "b.mcap"), tmp_path / "out"
    assert evaluate(parameters, out, bag) == 0
    assert evaluate(parameters, out, bag, "--max-frames", "2") == 1
    assert "other settings" in capsys.readouterr().err
    assert metrics_of(out)["images"] == 4
    assert evaluate(parameters, out, bag, "--max-frames", "2", "--force") == 0
    assert metrics_of(out)["images"] == 2


def test_several_processes_and_one_give_the_same_metrics(tmp_path, parameters):
    bags = [write(tmp_path / f"{name}.mcap", 3) for name in "ab"]
    assert evaluate(parameters, tmp_path / "one", *bags) == 0
    assert evaluate(parameters, tmp_path / "two", *bags, "--workers", "2") == 0
    one, two = metrics_of(tmp_path / "one"), metrics_of(tmp_path / "two")
    assert one.pop("settings")["cpu_threads"] == two.pop("settings")["cpu_threads"]
    assert one == two


def test_two_runs_are_compared(tmp_path, parameters, capsys):
    bag = write(tmp_path / "b.mcap")
    assert evaluate(parameters, tmp_path / "a", bag) == 0
    parameters.write_text(parameters.read_text().replace("max_veil: 1.0", "max_veil: 1.0, shading_gamma: 1.0"))
    assert evaluate(parameters, tmp_path / "b", bag) == 0
    words = ["--compare", str(tmp_path / "a"), str(tmp_path / "b")]
    assert main(["evaluate", *words, "--output", str(tmp_path / "c")]) == 0
    assert "on 4 images" in capsys.readouterr().out
    assert "shading_gamma" in (tmp_path / "c" / "report.html").read_text()


def test_a_requirement_that_is_not_met_fails_with_the_reason(tmp_path, parameters, capsys):
    bag, out = write(tmp_path / "b.mcap", 2), tmp_path / "out"
    assert evaluate(parameters, out, bag, "--require", "absrel<10,coverage>0.1") == 0
    assert evaluate(parameters, out, bag, "--require", "absrel<0.0001") == 2
    assert "absrel<0.0001 is required, but absrel is 0." in capsys.readouterr().err
    assert evaluate(parameters, tmp_path / "never", bag, "--require", "beauty>1") == 1
    assert not (tmp_path / "never").exists()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([], "give a bag or a data set"),
        (["BAG", "--protocol", "mine"], "there is no protocol 'mine'"),
        (["BAG", "--model", "dream"], "choose one of"),
        (["nowhere.mcap"], "nowhere.mcap: there is no such bag; check the path"),
        (["EMPTY"], "is no bag (.mcap, .db3, or a folder of one) and holds no data set"),
        (["BAG", "--split", "list.txt"], "--split is for data sets, of which there is none among the inputs"),
        (["BAG", "--require", ""], "'' is no requirement"),
        (["BAG", "--require", "nowhere.absrel<1"], "there is no figure 'nowhere.absrel'"),
        (["BAG", "--require", "imagemedian.beauty<1"], "there is no figure 'imagemedian.beauty'"),
        (["BAG", "--output", "/proc/nothing"], "/proc/nothing: can't be made a folder"),
        (["BAG", "--refined", "--no-pose"], "it needs the camera's poses; leave one of them out"),
        (["BAG", "--refined", "--graph"], "depth is refined in process only; leave one of them out"),
        (["--compare", "nowhere", "there"], "no finished run"),
    ],
)
def test_what_can_not_work_is_a_sentence(tmp_path, parameters, capsys, words, complaint):
    bag = write(tmp_path / "b.mcap", 1)
    (tmp_path / "empty").mkdir()
    places = {"BAG": str(bag), "EMPTY": str(tmp_path / "empty")}
    words = [places.get(word, word) for word in words]
    base = ["evaluate", "--output", str(tmp_path / "out"), *words]
    assert main(base if "--model" in words else [*base, *EASY, str(parameters)]) == 1
    error = capsys.readouterr().err
    assert complaint in error
    assert "Traceback" not in error


def test_a_data_set_is_evaluated_by_its_protocol_beside_published_figures(tmp_path, parameters):
    trees.simcol3d(tmp_path)
    out = tmp_path / "out"
    words = ["--protocol", "simcol3d", "--sequence", "SyntheticColon_I/Frames_S1"]
    assert evaluate(parameters, out, tmp_path / "SyntheticColon_I", *words) == 0
    metrics = metrics_of(out)
    assert metrics["protocol"]["name"] == "simcol3d"
    assert list(metrics["depth"]) == ["sequence_mean_depth", "image_median"]
    assert "CVML" in (out / "report.html").read_text()


def test_published_figures_of_other_images_are_called_no_comparison(tmp_path, parameters):
    out = tmp_path / "out"
    assert evaluate(parameters, out, write(tmp_path / "b.mcap", 2), "--protocol", "hamlyn") == 0
    assert "no comparison" in metrics_of(out)["recordings"][0]["notes"][-1]
    assert "no comparison" in (out / "report.html").read_text()


def test_sequences_that_the_protocol_does_not_test_on_are_named(tmp_path, parameters, capsys):
    trees.simcol3d(tmp_path)
    assert evaluate(parameters, tmp_path / "out", tmp_path / "SyntheticColon_I", "--protocol", "simcol3d") == 1
    assert "give --sequence as one of: " in capsys.readouterr().err
