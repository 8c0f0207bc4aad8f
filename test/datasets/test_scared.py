"""SCARED in the layout it is distributed in, and broken copies of it."""

import json

import numpy as np
import pytest
from ellipsoid_scene import check, poses
from miniature_datasets import SCARED_CAMERA, scared, tiff_of_points

from endo_depth_ros.datasets.catalog import find_sequences
from endo_depth_ros.datasets.truth_sequence import DatasetError, ReadOptions
from endo_depth_ros.geometry.camera import pinhole_from_hfov
from endo_depth_ros.stamps import FIRST_STAMP_NS


def frames_of(path, dataset="scared"):
    """All frames of the one sequence below a path."""
    (found,) = find_sequences(path, dataset)
    return list(found.open())


@pytest.mark.parametrize("packed", [True, False])
def test_video_points_and_poses_show_one_scene(tmp_path, packed):
    scared(tmp_path, packed)
    frames = frames_of(tmp_path)
    assert len(frames) == 3
    for index, frame in enumerate(frames):
        assert frame.frame.image.shape == (48, 64, 3)
        # The video is lossy.
        check(frame, levels=12)
        assert frame.frame.camera == SCARED_CAMERA
        np.testing.assert_allclose(frame.T_world_camera, poses(3)[index], atol=1e-9)
        assert frame.frame.stamp_ns == pytest.approx(FIRST_STAMP_NS + index * 40_000_000, abs=1000)
        assert np.isnan(frame.depth[:3]).all()
        assert np.isfinite(frame.depth[3:]).all()


@pytest.mark.parametrize("below", [".", "dataset_1", "dataset_1/keyframe_2"])
def test_any_folder_above_will_do(tmp_path, below):
    scared(tmp_path)
    (found,) = find_sequences(tmp_path / below)
    assert (found.layout.name, found.name) == ("scared", "dataset_1/keyframe_2")


def test_the_keyframe_alone_has_its_measured_depth(tmp_path):
    scared(tmp_path)
    (frame,) = frames_of(tmp_path, "scared_keyframes")
    check(frame, poses(3)[0])
    assert np.isnan(frame.depth[-2:]).all()
    assert frame.T_world_camera is None


def test_datasets_with_a_wrong_calibration_are_told(tmp_path):
    folder = scared(tmp_path)
    folder.parent.rename(tmp_path / "dataset_5")
    (found,) = find_sequences(tmp_path)
    assert any("calibration" in note for note in found.open().notes)


def test_frames_without_pose_or_depth_are_counted_and_kept(tmp_path):
    folder = scared(tmp_path, packed=False)
    (folder / "data" / "frame_data" / "frame_data000001.json").unlink()
    (folder / "data" / "scene_points" / "scene_points000002.tiff").unlink()
    (found,) = find_sequences(tmp_path)
    sequence = found.open()
    assert {"2 of 3 frames have a pose", "2 of 3 frames have a depth"} <= set(sequence.notes)
    frames = list(sequence)
    assert frames[1].T_world_camera is None
    assert frames[2].depth is None
    # The calibration of the keyframe stands in.
    assert frames[1].frame.camera == SCARED_CAMERA


def corrupt(folder, name, content):
    (folder / name).write_bytes(content)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("data/scene_points/scene_points000000.tiff", b"II*\x00junk", "truncated or of an unknown kind"),
        ("data/scene_points/scene_points000000.tiff", b"", "truncated or of an unknown kind"),
        ("data/scene_points/scene_points000000.tiff", tiff_of_points(np.ones((10, 64, 3))), "48 or 96 rows"),
        (
            "data/scene_points/scene_points000000.tiff",
            tiff_of_points(np.ones((96, 60, 3))),
            "60x48 but its image 64x48",
        ),
        ("data/frame_data/frame_data000000.json", b"{}", "not a frame_data file"),
        ("data/frame_data/frame_data000000.json", b"{", "not a frame_data file"),
        ("endoscope_calibration.yaml", b"%YAML:1.0\n---\nM3: 1\n", "lacks M1 or D1"),
        ("endoscope_calibration.yaml", b"nonsense", "endoscope_calibration.yaml"),
        ("data/rgb.mp4", b"", "rgb.mp4"),
    ],
)
def test_broken_files_are_one_sentence_with_their_name(tmp_path, name, content, words):
    folder = scared(tmp_path, packed=False)
    corrupt(folder, name, content)
    with pytest.raises(DatasetError, match=words):
        frames_of(tmp_path)


def test_a_transposed_pose_is_noticed(tmp_path):
    folder = scared(tmp_path, packed=False)
    path = folder / "data" / "frame_data" / "frame_data000000.json"
    document = json.loads(path.read_text())
    document["camera-pose"] = np.transpose(document["camera-pose"]).tolist()
    path.write_text(json.dumps(document))
    with pytest.raises(DatasetError, match="transposed"):
        frames_of(tmp_path)


def test_a_broken_archive_is_one_sentence(tmp_path):
    folder = scared(tmp_path)
    archive = folder / "data" / "scene_points.tar.gz"
    archive.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])
    with pytest.raises(DatasetError, match=r"scene_points.tar.gz.*corrupt"):
        frames_of(tmp_path)


def test_a_calibration_given_replaces_its_own_if_it_fits(tmp_path):
    scared(tmp_path)
    (found,) = find_sequences(tmp_path)
    given = pinhole_from_hfov(64, 48, 60.0)
    assert next(iter(found.open(ReadOptions(camera=given)))).frame.camera == given
    with pytest.raises(DatasetError, match="64x48 but the calibration is of 32x24"):
        next(iter(found.open(ReadOptions(camera=pinhole_from_hfov(32, 24, 60.0)))))
