"""Every other data set in the layout it is distributed in: units, axes and order of matrices."""

import miniature_datasets as trees
import numpy as np
import pytest
from ellipsoid_scene import CAMERA, check, depth_along, poses, views

from endo_depth_ros.bags.camera_yaml import write_camera
from endo_depth_ros.bags.image_folder import write_image
from endo_depth_ros.bags.tum_file import write_tum
from endo_depth_ros.datasets.c3vd import c3vd_lens
from endo_depth_ros.datasets.catalog import find_sequences
from endo_depth_ros.datasets.truth_sequence import DatasetError, ReadOptions
from endo_depth_ros.geometry.projection import raw_pixel_rays
from endo_depth_ros.geometry.trajectory import Trajectory
from endo_depth_ros.stamps import FIRST_STAMP_NS


def open_one(path, dataset="", **options):
    """The one sequence below a path."""
    (found,) = find_sequences(path, dataset)
    return found.open(ReadOptions(**options))


def steps_ms(frames):
    """Milliseconds between frames."""
    return np.diff([frame.frame.stamp_ns for frame in frames]) / 1e6


@pytest.mark.parametrize("columns", [3, 4])
def test_hamlyn_depth_is_in_millimetres(tmp_path, columns):
    trees.hamlyn(tmp_path, columns)
    sequence = open_one(tmp_path, fps=20.0)
    frames = list(sequence)
    assert (sequence.dataset, sequence.name) == ("hamlyn", "rectified14")
    for index, frame in enumerate(frames):
        assert frame.T_world_camera is None
        np.testing.assert_allclose(frame.frame.camera.K, CAMERA.K)
        if index != 1:
            check(frame, poses()[index], depth_m=5.1e-4, levels=10)
            assert np.isnan(frame.depth[:, :2]).all()
    # Frames 5, 7, 9 and 11 of the video.
    assert steps_ms(frames) == pytest.approx(100)
    assert frames[0].frame.stamp_ns == FIRST_STAMP_NS


def test_hamlyn_depth_counts_only_where_all_four_files_exist(tmp_path):
    trees.hamlyn(tmp_path)
    sequence = open_one(tmp_path)
    assert [frame.depth is None for frame in sequence] == [False, True, False, False]
    assert "3 of 4 frames have a depth" in sequence.notes


@pytest.mark.parametrize(("dataset", "factor"), [("servct", 1.0), ("servct_rgb", 0.5)])
def test_servct_depth_has_256_levels_a_millimetre_and_no_occlusions(tmp_path, dataset, factor):
    trees.servct(tmp_path)
    sequence = open_one(tmp_path, dataset)
    assert sequence.name == "Experiment_2"
    for (T, depth, image), frame in zip(views(count=2), sequence, strict=True):
        seen = np.isfinite(frame.depth)
        assert np.argwhere(~seen).tolist() == [[row, column] for row in range(4) for column in range(10)]
        np.testing.assert_allclose(frame.depth[seen], factor * depth[seen], atol=3e-6)
        np.testing.assert_array_equal(frame.frame.image, image)
        np.testing.assert_allclose(frame.frame.camera.K, CAMERA.K)
        if factor == 1:
            check(frame, T)


def test_endoslam_unity_has_relative_depth_and_left_handed_poses(tmp_path):
    trees.endoslam_unity(tmp_path)
    sequence = open_one(tmp_path)
    assert sequence.relative_depth
    assert sequence.name == "UnityCam/Small Intestine"
    assert "2 of 4 frames have a pose" in sequence.notes
    frames = list(sequence)
    for index, frame in enumerate(frames):
        exact = depth_along(raw_pixel_rays(CAMERA), poses()[index])
        np.testing.assert_array_equal(np.round(frame.depth * 255), np.round(1000 * exact))
        assert (frame.T_world_camera is None) == (index >= 2)
        if index < 2:
            np.testing.assert_allclose(frame.T_world_camera, poses()[index], atol=1e-8)
    assert steps_ms(frames) == pytest.approx(1000 / 30)


@pytest.mark.parametrize("shared", [True, False])
def test_endoslam_real_poses_belong_to_the_number_in_the_file_name(tmp_path, shared):
    trees.endoslam_real(tmp_path, shared)
    sequence = open_one(tmp_path)
    assert sequence.name == "HighCam/Colon-IV/TumorfreeTrajectory_1"
    assert not sequence.relative_depth
    frames = list(sequence)
    for index in (0, 1, 3):
        np.testing.assert_allclose(frames[index].T_world_camera, poses()[index], atol=1e-9)
    assert frames[2].T_world_camera is None
    assert all(frame.depth is None for frame in frames)
    np.testing.assert_allclose(frames[0].frame.camera.K, CAMERA.K)
    assert steps_ms(frames) == pytest.approx(50)


@pytest.mark.parametrize(
    "below", ["UnityCam", "UnityCam/Small Intestine", "Cameras", "Cameras/HighCam", "Cameras/HighCam/Colon-IV"]
)
def test_endoslam_is_found_from_any_folder_above(tmp_path, below):
    trees.endoslam_unity(tmp_path)
    trees.endoslam_real(tmp_path)
    (found,) = find_sequences(tmp_path / below)
    assert found.layout.name == "endoslam"
    assert len(find_sequences(tmp_path)) == 2


@pytest.mark.parametrize("padded", [True, False])
def test_c3vd_poses_are_column_by_column_and_its_lens_is_the_published_one(tmp_path, padded):
    trees.c3vd(tmp_path, padded)
    sequence = open_one(tmp_path)
    assert (sequence.dataset, sequence.name) == ("c3vd", "cecum_t1_a")
    for index, frame in enumerate(sequence):
        assert np.isnan(frame.depth[500:510]).all()
        # Half a pixel of the lens, where the wall is steep.
        check(frame, depth_m=4e-4, levels=2)
        np.testing.assert_allclose(frame.T_world_camera[:3, 3], poses(2)[index][:3, 3], atol=1e-9)


def test_rotations_with_the_six_digits_that_c3vd_has_come_out_exact(tmp_path):
    file = trees.c3vd(tmp_path) / "pose.txt"
    values = [[float(value) for value in line.split(",")] for line in file.read_text().splitlines()]
    file.write_text("\n".join(",".join(f"{value:.6g}" for value in row) for row in values) + "\n")
    for frame in open_one(tmp_path):
        R = frame.T_world_camera[:3, :3]
        np.testing.assert_allclose(R @ R.T, np.eye(3), atol=1e-12)


def test_the_lens_of_c3vd_sees_what_the_polynomial_does():
    camera, T_lens_camera = c3vd_lens()
    rays = raw_pixel_rays(camera) @ T_lens_camera[:3, :3].T
    published = trees.c3vd_rays()
    known = np.isfinite(published).all(axis=-1)
    angle = np.arccos(
        np.clip(
            np.sum(rays * published, -1) / np.linalg.norm(rays, axis=-1) / np.linalg.norm(published, axis=-1), -1, 1
        )
    )
    # A pixel is about 1 / 770 radians.
    assert np.max(angle[known]) < 0.5 / 770
    assert np.mean(angle[known]) < 0.15 / 770


def test_simcol3d_is_in_centimetres_and_left_handed(tmp_path):
    trees.simcol3d(tmp_path)
    sequence = open_one(tmp_path)
    assert (sequence.dataset, sequence.name) == ("simcol3d", "SyntheticColon_I/Frames_S1")
    for index, frame in enumerate(sequence):
        check(frame)
        np.testing.assert_allclose(frame.T_world_camera, poses()[index], atol=1e-9)


@pytest.mark.parametrize("below", ["SyntheticColon_I", "SyntheticColon_I/Frames_S1"])
def test_simcol3d_is_found_from_any_folder_above(tmp_path, below):
    trees.simcol3d(tmp_path)
    (found,) = find_sequences(tmp_path / below)
    assert found.layout.name == "simcol3d"


def test_tum_rgbd_takes_what_is_nearest_in_time(tmp_path):
    trees.tum_rgbd(tmp_path)
    sequence = open_one(tmp_path)
    frames = list(sequence)
    assert [frame.frame.stamp_ns for frame in frames] == [
        1311868164363181000 + 33_000_000 * index for index in range(3)
    ]
    for index, frame in enumerate(frames):
        np.testing.assert_allclose(frame.T_world_camera, poses(3)[index], atol=1e-8)
        assert (frame.depth is None) == (index == 1)
        if frame.depth is not None:
            check(frame, depth_m=1.1e-4)
    assert sequence.notes == ("2 of 3 frames have a depth",)


def test_tum_rgbd_of_an_unknown_camera_needs_a_calibration(tmp_path):
    trees.tum_rgbd(tmp_path).rename(tmp_path / "mine")
    with pytest.raises(DatasetError, match="no calibration came with it"):
        list(open_one(tmp_path))
    assert not next(iter(open_one(tmp_path, hfov_deg=60.0))).frame.camera.calibrated


def plain_folder(root, suffix):
    """images/, depth/, camera.yaml and trajectory.tum with half-second stamps."""
    for index, (_, depth, image) in enumerate(views()):
        (root / "images").mkdir(exist_ok=True)
        (root / "depth").mkdir(exist_ok=True)
        write_image(root / "images" / f"{index:06d}.png", image)
        depth[0, 0] = np.nan
        path = root / "depth" / f"{index:06d}{suffix}"
        if suffix == ".npy":
            np.save(path, depth)
        elif suffix == ".png":
            trees.write_levels(path, np.nan_to_num(1000 * depth, nan=65535))
        else:
            trees.cv2.imwrite(str(path), depth.astype(np.float32))
    write_camera(root / "camera.yaml", CAMERA)
    write_tum(root / "trajectory.tum", Trajectory(5 * 10**8 * np.arange(1, 5), poses()))
    return root


@pytest.mark.parametrize(("suffix", "depth_m"), [(".npy", 1e-6), (".tiff", 1e-6), (".png", 5.1e-4)])
def test_a_folder_of_ones_own_is_in_metres_or_png_millimetres(tmp_path, suffix, depth_m):
    sequence = open_one(plain_folder(tmp_path, suffix))
    assert sequence.dataset == "folder"
    for index, frame in enumerate(sequence):
        check(frame, depth_m=depth_m)
        assert np.isnan(frame.depth[0, 0])
        assert frame.frame.stamp_ns == 5 * 10**8 * (index + 1)
        np.testing.assert_allclose(frame.T_world_camera, poses()[index], atol=1e-8)


def half_of_lines(path):
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[: len(lines) // 2]))


@pytest.mark.parametrize(
    ("make", "file", "words"),
    [
        (trees.c3vd, "pose.txt", "has 1 poses, none for frame 1"),
        (trees.simcol3d, "../SavedPosition_S1.txt", "has 2 positions and 4 rotations beside it, none for frame 2"),
        (lambda root: plain_folder(root, ".npy"), "trajectory.tum", "has 1 poses but there are 4 images"),
    ],
)
def test_half_a_trajectory_is_refused(tmp_path, make, file, words):
    half_of_lines(make(tmp_path) / file)
    with pytest.raises(DatasetError, match=words):
        open_one(tmp_path)


@pytest.mark.parametrize(
    ("make", "file", "content", "words"),
    [
        (trees.hamlyn, "intrinsics.txt", b"1 2 3", "has 3 numbers"),
        (trees.hamlyn, "intrinsics.txt", b"a b c", "no number"),
        (trees.hamlyn, "intrinsics.txt", b"0 0 0 0 0 0 0 0 1", "impossible"),
        (trees.hamlyn, "depth01/0000000005.png", b"x", "truncated or of an unknown kind"),
        (trees.hamlyn, "image01/0000000005.jpg", b"x", "0000000005.jpg"),
        (trees.servct, "Rectified_calibration/009.json", b"{}", "12 numbers of P1"),
        (trees.servct, "Ground_truth_CT/OcclusionL/009.png", b"x", "009.png"),
        (trees.endoslam_real, "Poses/low_high_pose_colon_test_1_high_images.xlsx", b"x", "not a readable Excel"),
        (trees.endoslam_unity, "Pixelwise Depths/aov_image_0001.png", b"", "truncated or of an unknown kind"),
        (trees.c3vd, "pose.txt", b"1,2,3\n", "line 1 does not hold 16 numbers"),
        (trees.c3vd, "pose.txt", b"1,0,0,0,0,2,0,0,0,0,1,0,0,0,0,1\n" * 2, "holds no rotation"),
        (trees.simcol3d, "../cam.txt", b"", "has 0 numbers"),
        (trees.simcol3d, "../SavedRotationQuaternion_S1.txt", b"0 0 0 0\n" * 4, "rotation beside it is zero"),
        (trees.tum_rgbd, "rgb.txt", b"# nothing\n", "lists no image"),
        (trees.tum_rgbd, "depth.txt", b"1 2 3\n", "line 1 is not 'time file'"),
        (trees.tum_rgbd, "groundtruth.txt", b"1 2 3\n", "groundtruth.txt: line 1"),
        (lambda root: plain_folder(root, ".npy"), "depth/000001.npy", b"x", "not a readable NumPy file"),
        (lambda root: plain_folder(root, ".npy"), "camera.yaml", b"x", "camera.yaml"),
    ],
)  # fmt: skip
def test_broken_files_are_one_sentence_with_their_name(tmp_path, make, file, content, words):
    (make(tmp_path) / file).write_bytes(content)
    with pytest.raises(DatasetError, match=words):
        list(find_sequences(tmp_path)[0].open())


def test_depth_of_eight_bits_is_not_taken_for_sixteen(tmp_path):
    folder = trees.hamlyn(tmp_path)
    trees.write_levels(folder / "depth01" / "0000000005.png", np.ones((36, 48)), np.uint8)
    with pytest.raises(DatasetError, match="16 bit with one channel but is uint8"):
        list(open_one(tmp_path))


def test_depth_of_another_size_than_its_image_is_refused(tmp_path):
    folder = trees.simcol3d(tmp_path)
    trees.write_levels(folder / "Depth_0001.png", np.ones((10, 20)))
    with pytest.raises(DatasetError, match="the depth is 20x10 but its image 48x36"):
        list(open_one(tmp_path))


def test_a_row_major_pose_file_is_noticed(tmp_path):
    folder = trees.c3vd(tmp_path)
    rows = np.loadtxt(folder / "pose.txt", delimiter=",").reshape(-1, 4, 4).transpose(0, 2, 1).reshape(-1, 16)
    np.savetxt(folder / "pose.txt", rows, delimiter=",")
    with pytest.raises(DatasetError, match="transposed"):
        list(open_one(tmp_path))
