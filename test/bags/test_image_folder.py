"""Image folders as sources."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic_media import HEIGHT, WIDTH, calibrated_camera, make_image, write_folder

from endo_depth_ros.bags.camera_yaml import read_camera, write_camera
from endo_depth_ros.bags.image_folder import STAMPS_FILE, ImageFolderSource, list_images
from endo_depth_ros.bags.source import SourceError
from endo_depth_ros.geometry.camera import CameraError, pinhole_from_hfov


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / "images")


def test_images_come_in_natural_order(folder):
    frames = list(ImageFolderSource(folder))
    assert len(frames) == 12
    for index, frame in enumerate(frames):
        np.testing.assert_array_equal(frame.image, make_image(index))


@given(numbers=st.sets(st.integers(0, 10**6), min_size=1, max_size=20))
def test_unpadded_numbers_sort_as_numbers(tmp_path_factory, numbers):
    folder = tmp_path_factory.mktemp("names")
    for number in numbers:
        (folder / f"frame{number}.png").touch()
    assert [file.stem for file in list_images(folder)] == [f"frame{number}" for number in sorted(numbers)]


def test_stamps_follow_the_frame_rate_which_is_30_by_default(folder):
    assert [f.stamp_ns for f in ImageFolderSource(folder)][:3] == [0, 33333333, 66666667]
    assert [f.stamp_ns for f in ImageFolderSource(folder, fps=10.0)][:3] == [0, 10**8, 2 * 10**8]


def test_stamps_csv_gives_the_stamps(folder):
    (folder / STAMPS_FILE).write_text("file,stamp_ns\n" + "".join(f"{i}.png,{1000 + 7 * i}\n" for i in range(12)))
    assert [f.stamp_ns for f in ImageFolderSource(folder)] == [1000 + 7 * i for i in range(12)]


@pytest.mark.parametrize("table", ["file,stamp_ns\n0.png,1\n", "a,b\n1,2\n", "file,stamp_ns\n0.png,soon\n"])
def test_a_stamps_csv_that_does_not_fit_is_one_sentence(folder, table):
    (folder / STAMPS_FILE).write_text(table)
    with pytest.raises(SourceError, match=r"stamps\.csv.*--fps"):
        ImageFolderSource(folder)


def test_a_corrupt_image_is_answered_and_the_rest_go_on(folder):
    content = (folder / "3.png").read_bytes()
    (folder / "3.png").write_bytes(content[: len(content) // 2])
    (folder / "4.png").write_bytes(b"")
    frames = list(ImageFolderSource(folder))
    assert [index for index, frame in enumerate(frames) if frame.image is None] == [3, 4]
    assert "3.png" in frames[3].error
    assert len(frames) == 12


def test_an_image_of_another_size_is_answered(folder):
    cv2.imwrite(str(folder / "5.png"), np.zeros((10, 20, 3), np.uint8))
    frames = list(ImageFolderSource(folder, calibrated_camera()))
    assert frames[5].image is None
    assert "20x10" in frames[5].error
    assert "64x48" in frames[5].error
    assert frames[6].camera is not None


@pytest.mark.parametrize("suffix", ["bmp", "tif", "jpg"])
def test_other_formats_are_read(tmp_path, suffix):
    cv2.imwrite(str(tmp_path / f"a.{suffix}"), cv2.cvtColor(make_image(3), cv2.COLOR_RGB2BGR))
    (frame,) = ImageFolderSource(tmp_path)
    assert np.abs(frame.image.astype(int) - make_image(3)).mean() < 6


def test_a_corrupt_bitmap_is_answered(tmp_path):
    (tmp_path / "a.bmp").write_bytes(b"BM nonsense")
    (frame,) = ImageFolderSource(tmp_path)
    assert "a.bmp" in frame.error


def test_depth_maps_beside_colour_images_are_left_out(tmp_path):
    for name in ("f0.color.jpg", "f0.depth.png", "f1.color.jpg", "f1.depth.png"):
        (tmp_path / name).touch()
    assert [file.name for file in list_images(tmp_path)] == ["f0.color.jpg", "f1.color.jpg"]


def test_the_camera_of_the_folder_is_used_unless_another_is_given(folder):
    write_camera(folder / "camera.yaml", calibrated_camera())
    assert next(iter(ImageFolderSource(folder))).camera == read_camera(folder / "camera.yaml")
    mine = pinhole_from_hfov(WIDTH, HEIGHT, 50.0)
    assert next(iter(ImageFolderSource(folder, mine))).camera is mine


def test_a_bad_camera_file_in_the_folder_is_one_sentence(folder):
    (folder / "camera.yaml").write_text("nonsense")
    with pytest.raises(CameraError, match=r"images/camera\.yaml: not a calibration file"):
        ImageFolderSource(folder)


def test_a_folder_without_images_is_one_sentence(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(SourceError, match="no images in this folder"):
        ImageFolderSource(tmp_path)
