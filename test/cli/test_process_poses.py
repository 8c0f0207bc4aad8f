"""The trajectory of endo-depth process."""

import csv
import itertools
import json
from dataclasses import replace

import numpy as np
import pytest
from sphere_world import CAMERA, SphereWorld, wander
from synthetic_media import write_folder

from endo_depth_ros.bags.tum_file import read_tum
from endo_depth_ros.cli import process
from endo_depth_ros.cli.main import main
from endo_depth_ros.cli.output_folder import OUT_OF_ORDER
from endo_depth_ros.contracts import DepthEstimate, Frame, FrameStatus, Scale, ScaleState, Verdict
from endo_depth_ros.geometry.transforms import invert_transform
from endo_depth_ros.pose import pipeline as pose_pipeline
from endo_depth_ros.pose.settings import PoseSettings

pytest.importorskip("gtsam")
pytestmark = pytest.mark.end_to_end
FRAMES = 8


@pytest.fixture
def walk(tmp_path, monkeypatch):
    """Arguments for a folder of images of a known world, whose true depth stands in for that of a model."""
    views = [SphereWorld().look(wander(index)) for index in range(FRAMES)]
    folder = write_folder(tmp_path / "images", FRAMES)
    remaining = iter(views)

    def answer(pipeline, frame, hfov_deg):
        image, depth = next(remaining)
        status = FrameStatus(frame.stamp_ns, Verdict.OK, scale=Scale(ScaleState.NOMINAL), model="truth")
        return DepthEstimate(Frame(frame.stamp_ns, frame.frame_id, image, CAMERA), depth, 0.01 * depth, status)

    monkeypatch.setattr(process, "answer", answer)
    out = tmp_path / "out"
    arguments = ["process", str(folder), "--hfov", "70", "--fps", "30", "--model", "shading", "--device", "cpu"]
    return [*arguments, "--output", str(out)], out


def rows(out):
    with (out / "states.csv").open() as file:
        return list(csv.DictReader(file))


def test_the_trajectory_is_camera_to_world_with_the_stamps_of_the_tracked_frames(walk):
    arguments, out = walk
    assert main(arguments) == 0
    states = [row["tracking_state"] for row in rows(out)]
    assert states == ["initialising"] + ["tracking"] * (FRAMES - 1)
    trajectory = read_tum(out / "trajectory.tum")
    assert trajectory.stamps_ns.tolist() == [int(row["stamp_ns"]) for row in rows(out)[1:]]
    expected = [(invert_transform(wander(0)) @ wander(i))[:3, 3] for i in range(1, FRAMES)]
    np.testing.assert_allclose(trajectory.positions, expected, atol=4e-4)
    summary = json.loads((out / "summary.json").read_text())
    assert summary["trajectory_poses"] == FRAMES - 1
    assert summary["tracking_states"] == {"initialising": 1, "tracking": FRAMES - 1}


def test_depth_of_tracked_frames_is_refined_unless_that_is_switched_off(walk):
    arguments, out = walk
    truth = [SphereWorld().look(wander(index))[1] for index in range(FRAMES)]
    assert main(arguments) == 0
    assert [row["refined"] for row in rows(out)] == ["false"] + ["true"] * (FRAMES - 1)
    summary = json.loads((out / "summary.json").read_text())
    assert (summary["refine"], summary["frames_with_refined_depth"]) == (True, FRAMES - 1)
    assert summary["pose_settings"]["field_share"] == PoseSettings().field_share
    depths = [np.load(out / "depth" / f"{index:06d}.npy") for index in range(FRAMES)]
    np.testing.assert_array_equal(depths[0], truth[0])
    for depth, true in zip(depths[1:], truth[1:], strict=True):
        assert not np.array_equal(depth, true)
        np.testing.assert_allclose(depth, true, rtol=0.05)


@pytest.mark.parametrize("option", ["--no-refine", "--no-pose"])
def test_depth_is_the_model_s_where_nothing_may_refine_it(walk, option):
    arguments, out = walk
    assert main([*arguments, option]) == 0
    assert {row["refined"] for row in rows(out)} == {"false"}
    summary = json.loads((out / "summary.json").read_text())
    assert summary["refine"] is False
    assert (summary["pose_settings"] is None) == (option == "--no-pose")
    for index in range(FRAMES):
        _, true = SphereWorld().look(wander(index))
        np.testing.assert_array_equal(np.load(out / "depth" / f"{index:06d}.npy"), true)


def test_no_pose_leaves_depth_only(walk):
    arguments, out = walk
    assert main([*arguments, "--no-pose"]) == 0
    assert not (out / "trajectory.tum").exists()
    assert {row["tracking_state"] for row in rows(out)} == {""}


def test_without_gtsam_there_is_depth_and_one_sentence(walk, monkeypatch, capsys):
    def refuse(settings, others=()):
        raise pose_pipeline.PoseUnavailableError("camera poses need gtsam: pip install gtsam")

    monkeypatch.setattr(pose_pipeline, "create_tracker", refuse)
    arguments, out = walk
    assert main(arguments) == 0
    assert capsys.readouterr().err.count("without poses: camera poses need gtsam: pip install gtsam") == 1
    assert len(rows(out)) == FRAMES
    assert not (out / "trajectory.tum").exists()


def test_settings_of_the_tracker_come_from_the_parameter_file(walk, tmp_path):
    params = tmp_path / "params.yaml"
    params.write_text("/**/pose_node:\n  ros__parameters:\n    min_points: 10000\n")
    arguments, out = walk
    assert main([*arguments, "--params", str(params)]) == 0
    assert "10000 are needed" in rows(out)[0]["tracking_reason"]
    assert len(read_tum(out / "trajectory.tum").stamps_ns) == 0


def test_metres_that_only_pose_node_can_use_are_not_passed_over_in_silence(walk, tmp_path, capsys):
    params = tmp_path / "params.yaml"
    params.write_text("/**/pose_node:\n  ros__parameters:\n    constant: 2.0\n")
    arguments, _ = walk
    assert main([*arguments, "--params", str(params)]) == 0
    assert "constant and kinematics of pose_node are not used here" in capsys.readouterr().err


def test_a_frame_whose_stamp_came_before_says_why_it_has_no_pose(walk, monkeypatch):
    arguments, out = walk
    answer, numbers = process.answer, itertools.count()

    def repeating(pipeline, frame, hfov_deg):
        made = answer(pipeline, frame, hfov_deg)
        if next(numbers) != 4:
            return made
        before = made.frame.stamp_ns - round(1e9 / 30)
        return replace(made, frame=replace(made.frame, stamp_ns=before), status=replace(made.status, stamp_ns=before))

    monkeypatch.setattr(process, "answer", repeating)
    assert main(arguments) == 0
    told = [row["tracking_reason"] == OUT_OF_ORDER for row in rows(out)]
    assert told == [False] * 4 + [True] + [False] * 3


def test_a_recording_whose_stamps_jump_back_is_followed_on_both_sides(walk, monkeypatch, capsys):
    arguments, out = walk
    answer, numbers = process.answer, itertools.count()

    def jumping(pipeline, frame, hfov_deg):
        return answer(
            pipeline, replace(frame, stamp_ns=frame.stamp_ns + (10**12 if next(numbers) < 5 else 0)), hfov_deg
        )

    monkeypatch.setattr(process, "answer", jumping)
    assert main(arguments) == 0
    assert len(read_tum(out / "trajectory_earlier.tum").stamps_ns) == 4
    assert len(read_tum(out / "trajectory.tum").stamps_ns) == 2
    assert [row["segment"] for row in rows(out)] == ["0"] * 5 + ["1"] * 3
    assert "trajectory_earlier.tum" in capsys.readouterr().out
