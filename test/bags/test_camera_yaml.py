"""Calibration files."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from endo_depth_ros.bags.camera_yaml import read_camera, write_camera
from endo_depth_ros.geometry.camera import EQUIDISTANT, PLUMB_BOB, RATIONAL_POLYNOMIAL, Camera, CameraError

STANDARD = """
image_width: 640
image_height: 480
camera_name: scope
camera_matrix: {rows: 3, cols: 3, data: [500, 0, 319.5, 0, 501, 239.5, 0, 0, 1]}
distortion_model: plumb_bob
distortion_coefficients: {rows: 1, cols: 5, data: [-0.3, 0.1, 0, 0, 0]}
rectification_matrix: {rows: 3, cols: 3, data: [1, 0, 0, 0, 1, 0, 0, 0, 1]}
projection_matrix: {rows: 3, cols: 4, data: [480, 0, 320, 0, 0, 481, 240, 0, 0, 0, 1, 0]}
"""


@pytest.fixture
def standard(tmp_path):
    path = tmp_path / "camera.yaml"
    path.write_text(STANDARD)
    return path


def change(path: Path, key: str, value: object) -> Path:
    """The file with one key replaced, or removed when value is None."""
    document = yaml.safe_load(path.read_text())
    if value is None:
        del document[key]
    else:
        document[key] = value
    path.write_text(yaml.safe_dump(document))
    return path


def test_a_standard_file_is_read_whole(standard):
    camera = read_camera(standard)
    assert (camera.width, camera.height) == (640, 480)
    assert camera.K.tolist() == [[500, 0, 319.5], [0, 501, 239.5], [0, 0, 1]]
    assert camera.distortion_model == PLUMB_BOB
    assert camera.D.tolist() == [-0.3, 0.1, 0, 0, 0]
    assert camera.P.tolist() == [[480, 0, 320], [0, 481, 240], [0, 0, 1]]
    assert camera.calibrated


@given(
    model=st.sampled_from([PLUMB_BOB, RATIONAL_POLYNOMIAL, EQUIDISTANT]),
    f=st.floats(50, 5000),
    c=st.floats(0, 1200),
    d=st.lists(st.floats(-1, 1).filter(lambda v: v != 0), min_size=14, max_size=14),
    calibrated=st.booleans(),
    rectified=st.booleans(),
)
def test_a_written_camera_is_read_back_equal(tmp_path_factory, model, f, c, d, calibrated, rectified):
    counts = {PLUMB_BOB: 5, RATIONAL_POLYNOMIAL: 8, EQUIDISTANT: 4}
    K = np.array([[f, 0, c], [0, f * 1.1, c / 2], [0, 0, 1.0]])
    P = np.diag([0.9, 0.9, 1.0]) @ K if rectified else None
    camera = Camera(800, 600, K, model, np.array(d[: counts[model]]), P=P, calibrated=calibrated)
    path = tmp_path_factory.mktemp("yaml") / "camera.yaml"
    write_camera(path, camera)
    assert read_camera(path) == camera


def test_a_pinhole_is_written_with_twelve_numbers_of_projection(tmp_path):
    path = tmp_path / "camera.yaml"
    write_camera(path, Camera(64, 48, np.array([[50.0, 0, 31], [0, 50, 23], [0, 0, 1]])))
    data = yaml.safe_load(path.read_text())["projection_matrix"]["data"]
    assert data == [50, 0, 31, 0, 0, 50, 23, 0, 0, 0, 1, 0]
    assert read_camera(path).rectified


@pytest.mark.parametrize(
    "key", ["image_width", "image_height", "camera_matrix", "distortion_coefficients"], ids=lambda key: key
)
def test_a_missing_key_is_named_with_the_file(standard, key):
    with pytest.raises(CameraError, match=rf"camera\.yaml: the key {key} is missing; give"):
        read_camera(change(standard, key, None))


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("camera_matrix", {"rows": 3, "cols": 3, "data": [float("nan")] * 9}, "camera_matrix contains NaN"),
        ("camera_matrix", {"rows": 3, "cols": 3, "data": [0] * 9}, "K is zero"),
        ("camera_matrix", {"rows": 3, "cols": 3, "data": [1, 2, 3]}, "has 3 numbers; it takes 9"),
        ("camera_matrix", {"rows": 3, "cols": 3, "data": ["a"] * 9}, "no number"),
        ("camera_matrix", None, "missing"),
        ("image_width", 0, "image_width is 0"),
        ("image_width", "wide", "image_width is 'wide'"),
        ("distortion_model", "magic", "distortion_model 'magic' is unknown"),
        ("distortion_coefficients", {"data": [0.1, 0.2, 0.3]}, "plumb_bob takes"),
        ("projection_matrix", {"data": [1, 2]}, "has 2 numbers; it takes 12"),
        ("calibrated", "perhaps", "write true or false"),
        ("calibrated", 10**400, "write true or false"),
        ("camera_matrix", {"data": [10**400] * 9}, "no number"),
        ("camera_matrix", {"data": {"a": 1}}, "no number"),
        ("image_width", 10**400, "image_width is 1000.*0000; write the positive number of pixels"),
        ("image_height", 100_001, "image_height is 100001"),
    ],
)
def test_a_bad_value_is_one_sentence_with_the_file(standard, key, value, words):
    with pytest.raises(CameraError, match=words) as caught:
        read_camera(change(standard, key, value))
    assert str(standard) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["just words", "- 1\n- 2\n", ": {", "", "[" * 3000, "made: 2001-99-99", f"image_width: {'9' * 5000}", "a: \x00"],
    ids=lambda text: text[:8],
)
def test_a_file_that_is_no_calibration_is_refused(tmp_path, text):
    path = tmp_path / "camera.yaml"
    path.write_text(text)
    with pytest.raises(CameraError, match=r"camera\.yaml: .*camera_calibration wrote") as caught:
        read_camera(path)
    assert "\n" not in str(caught.value)


def test_a_list_that_holds_itself_is_refused(standard):
    standard.write_text(STANDARD.replace("data: [500,", "data: &own [*own,"))
    with pytest.raises(CameraError, match="camera_matrix holds something that is no number"):
        read_camera(standard)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(CameraError, match=r"none\.yaml"):
        read_camera(tmp_path / "none.yaml")
