"""endo-depth convert of data sets: images, calibration, true depth and transforms in one bag."""

from pathlib import Path

import miniature_datasets as trees
import numpy as np
import pytest
from ellipsoid_scene import CAMERA, poses, views

from endo_depth_ros.bags.factory import open_source
from endo_depth_ros.cli.main import main
from endo_depth_ros.evaluation.recording import read_messages, read_truth
from endo_depth_ros.geometry.transforms import pose_matrix
from endo_depth_ros.stamps import stamp_ns_of


def run(*arguments: object) -> int:
    """The command's exit code."""
    return main(["convert", *map(str, arguments)])


def transforms(bag):
    """T_world_camera by stamp, of the bag's /tf."""
    found = {}
    for _, message in read_messages(bag, ("/tf",)):
        (stamped,) = message.transforms
        assert stamped.header.frame_id == "world"
        p, q = stamped.transform.translation, stamped.transform.rotation
        found[stamp_ns_of(stamped.header)] = pose_matrix([p.x, p.y, p.z], [q.x, q.y, q.z, q.w])
    return found


def test_a_data_set_is_recognised_and_becomes_a_bag_with_all_it_knows(tmp_path):
    trees.simcol3d(tmp_path / "data")
    bag = tmp_path / "s1.mcap"
    assert run(tmp_path / "data", bag, "--frame-id", "scope") == 0
    frames, truth, tf = list(open_source(bag)), read_truth(bag), transforms(bag)
    assert len(frames) == len(truth) == len(tf) == 4
    for frame, T, (_, depth, image) in zip(frames, poses(), views(), strict=True):
        assert frame.frame_id == "scope"
        np.testing.assert_array_equal(frame.image, image)
        np.testing.assert_allclose(frame.camera.K, CAMERA.K)
        np.testing.assert_allclose(truth[frame.stamp_ns][0], depth, atol=2e-6)
        np.testing.assert_allclose(truth[frame.stamp_ns][1].K, CAMERA.K)
        np.testing.assert_allclose(tf[frame.stamp_ns], T, atol=1e-8)


def test_what_a_data_set_does_not_know_is_not_in_the_bag_and_told(tmp_path, capsys):
    trees.hamlyn(tmp_path / "data")
    bag = tmp_path / "h.mcap"
    assert (
        run(tmp_path / "data", bag, "--dataset", "hamlyn", "--jpeg", "--start", 100, "--max-frames", 2, "--fps", 10)
        == 0
    )
    assert "note: Hamlyn, rectified rectified14: depth is stereo matching" in capsys.readouterr().err
    assert transforms(bag) == {}
    stamps = [frame.stamp_ns for frame in open_source(bag)]
    # Frames 5 and 7 of the video.
    assert stamps == [100 * 10**9, 100 * 10**9 + 2 * 10**8]
    assert list(read_truth(bag)) == stamps[:1]


def test_one_of_several_sequences_is_asked_for(tmp_path, capsys):
    trees.scared(tmp_path / "data")
    (tmp_path / "data" / "dataset_1" / "keyframe_3").symlink_to(tmp_path / "data" / "dataset_1" / "keyframe_2")
    bag = tmp_path / "k.mcap"
    assert run(tmp_path / "data", bag) == 1
    assert "give --sequence as one of: dataset_1/keyframe_2, dataset_1/keyframe_3" in capsys.readouterr().err
    assert run(tmp_path / "data", bag, "--sequence", "dataset_1/keyframe_3") == 0
    assert len(read_truth(bag)) == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("data", "a.mp4"), "give NAME.mcap"),
        (("data", "a.mcap", "--dataset", "scared"), "holds no SCARED"),
        (("data", "a.mcap", "--dataset", "kitti"), "no data set 'kitti'"),
        (("data", "a.mcap", "--sequence", "x"), "no sequence 'x'"),
    ],
)
def test_bad_input_is_one_sentence_and_leaves_nothing(tmp_path, monkeypatch, capsys, arguments, words):
    monkeypatch.chdir(tmp_path)
    trees.simcol3d(Path("data"))
    assert run(*arguments) == 1
    error = capsys.readouterr().err
    assert words in error
    assert error.splitlines()[-1].startswith("endo-depth convert: ")
    assert sorted(tmp_path.iterdir()) == [tmp_path / "data"]


def test_a_sequence_of_what_is_no_data_set_is_refused(tmp_path, capsys):
    (tmp_path / "images").mkdir()
    trees.write_png(tmp_path / "images" / "a.png", views()[0][2])
    assert run(tmp_path / "images", tmp_path / "a.mcap", "--sequence", "x") == 1
    assert "--sequence has no effect" in capsys.readouterr().err


def test_a_broken_data_set_leaves_no_half_bag(tmp_path, capsys):
    folder = trees.simcol3d(tmp_path / "data")
    (folder / "Depth_0002.png").write_bytes(b"x")
    assert run(tmp_path / "data", tmp_path / "a.mcap") == 1
    assert "Depth_0002.png" in capsys.readouterr().err
    assert sorted(tmp_path.iterdir()) == [tmp_path / "data"]
