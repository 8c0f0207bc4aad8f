"""Cameras from CameraInfo, and what resizing, cropping, binning and regions of interest do to them."""

import math
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endo_depth_ros.geometry.camera import (
    EQUIDISTANT,
    PINHOLE,
    PLUMB_BOB,
    RATIONAL_POLYNOMIAL,
    Camera,
    CameraError,
    camera_from_info,
    pinhole_from_hfov,
)

FULL_K = np.array([[600.0, 0, 321], [0, 605, 238], [0, 0, 1]])


def make_info(**changes):
    """A CameraInfo of a 640x480 plumb_bob camera."""
    info = SimpleNamespace(
        width=640,
        height=480,
        distortion_model="plumb_bob",
        d=[-0.2, 0.05, 0.001, -0.001, 0.0],
        k=FULL_K.ravel().tolist(),
        r=np.eye(3).ravel().tolist(),
        p=np.hstack([FULL_K * [0.9, 0.9, 1], np.zeros((3, 1))]).ravel().tolist(),
        binning_x=0,
        binning_y=0,
        roi=SimpleNamespace(x_offset=0, y_offset=0, width=0, height=0, do_rectify=False),
    )
    info.p[10] = 1.0
    vars(info).update(changes)
    return info


def make_k(fx=600.0, fy=605.0, cx=321.0, cy=238.0, skew=0.0, below=0.0):
    return [fx, skew, cx, below, fy, cy, 0.0, 0.0, 1.0]


def make_p(**changes):
    k = make_k(**changes)
    return [*k[:3], 0.0, *k[3:6], 0.0, *k[6:], 0.0]


def make_roi(x, y, width, height):
    return SimpleNamespace(x_offset=x, y_offset=y, width=width, height=height, do_rectify=False)


def test_full_resolution_info_is_taken_as_it_is():
    camera = camera_from_info(make_info(), 640, 480)
    np.testing.assert_array_equal(camera.K, FULL_K)
    assert (camera.width, camera.height, camera.distortion_model, len(camera.D)) == (640, 480, PLUMB_BOB, 5)
    assert camera.calibrated
    assert camera.distorted
    assert not camera.rectified


@given(
    st.tuples(st.integers(0, 100), st.integers(0, 100)),
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
    st.tuples(st.integers(2, 60), st.integers(2, 60)),
    st.tuples(st.integers(0, 3), st.integers(0, 3)),
)
def test_roi_then_binning_keeps_a_pixel_block_at_its_centre(offset, bins, size, remainder):
    width, height = size[0] * bins[0] + remainder[0] % bins[0], size[1] * bins[1] + remainder[1] % bins[1]
    info = make_info(roi=make_roi(*offset, width, height), binning_x=bins[0], binning_y=bins[1])
    camera = camera_from_info(info, *size)
    ray = np.array([0.07, -0.04, 1])
    full, binned = FULL_K @ ray, camera.K @ ray
    for axis in (0, 1):
        # Binned pixel i holds the pixels offset + i * bin ... offset + i * bin + bin - 1.
        block_centre = offset[axis] + binned[axis] * bins[axis] + (bins[axis] - 1) / 2
        assert block_centre == pytest.approx(full[axis])
    assert camera.P is not None


@given(st.integers(1, 8), st.integers(1, 8))
def test_resized_camera_sees_a_block_where_the_averaged_image_has_it(bx, by):
    K = np.array([[30.0 * bx, 0, 8.3 * bx], [0, 30.0 * by, 7.9 * by], [0, 0, 1]])
    camera = Camera(16 * bx, 16 * by, K)
    image = np.zeros((camera.height, camera.width), np.float32)
    image[5 * by : 6 * by, 9 * bx : 10 * bx] = 1
    small = cv2.resize(image, (16, 16), interpolation=cv2.INTER_AREA)
    assert small[5, 9] == pytest.approx(1)
    block_centre = np.linalg.inv(camera.K) @ [9 * bx + (bx - 1) / 2, 5 * by + (by - 1) / 2, 1]
    np.testing.assert_allclose(camera.resized(16, 16).K @ block_centre, [9, 5, 1], atol=1e-9)


@given(st.integers(1, 300), st.integers(1, 300))
def test_resizing_there_and_back_changes_nothing(width, height):
    camera = Camera(320, 256, FULL_K, P=FULL_K * 1.0)
    back = camera.resized(width, height).resized(320, 256)
    np.testing.assert_allclose(back.K, camera.K, atol=1e-9)
    np.testing.assert_allclose(back.P, camera.P, atol=1e-9)


def test_hfov_is_the_angle_between_the_outer_edges():
    camera = pinhole_from_hfov(320, 256, 90.0)
    edges = [(np.linalg.inv(camera.K) @ [u, 127.5, 1])[0] for u in (-0.5, 319.5)]
    assert [math.degrees(math.atan(x)) for x in edges] == pytest.approx([-45, 45])
    assert not camera.calibrated


@pytest.mark.parametrize("hfov_deg", [0.0, 180.0, -3.0, float("nan")])
def test_impossible_hfov_is_refused(hfov_deg):
    with pytest.raises(CameraError, match="between 0 and 180"):
        pinhole_from_hfov(320, 256, hfov_deg)


def test_zero_distortion_is_a_pinhole_under_any_name():
    for model in ("plumb_bob", "", "none"):
        camera = camera_from_info(make_info(distortion_model=model, d=[0.0] * 5), 640, 480)
        assert camera.distortion_model == PINHOLE
        assert not camera.distorted


def test_equidistant_without_coefficients_still_bends():
    camera = camera_from_info(make_info(distortion_model=EQUIDISTANT, d=[0.0] * 4), 640, 480)
    assert camera.distorted


def test_zero_r_and_p_mean_nobody_chose_them():
    camera = camera_from_info(make_info(r=[0.0] * 9, p=[0.0] * 12), 640, 480)
    np.testing.assert_array_equal(camera.R, np.eye(3))
    assert camera.P is None


@pytest.mark.parametrize(
    "k",
    [
        make_k(fx=32.0, fy=32.0),
        make_k(fx=64000.0, fy=64000.0),
        make_k(cx=-640.0, cy=-480.0),
        make_k(cx=1280.0, cy=960.0),
    ],
)
def test_bounds_of_k_and_p_belong_to_what_is_possible(k):
    camera = camera_from_info(make_info(k=k, p=[*k[:3], 0, *k[3:6], 0, *k[6:], 0]), 640, 480)
    assert camera.K.ravel().tolist() == camera.P.ravel().tolist() == k


def test_equal_cameras_are_equal_and_hash_alike():
    one, two = camera_from_info(make_info(), 640, 480), camera_from_info(make_info(), 640, 480)
    other = camera_from_info(make_info(d=[-0.2, 0.05, 0.001, -0.001, 0.1]), 640, 480)
    assert one == two
    assert hash(one) == hash(two)
    assert one != other


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"k": [0.0] * 9}, "K is zero"),
        ({"k": [math.nan, *FULL_K.ravel()[1:]]}, "NaN"),
        ({"k": [*FULL_K.ravel()[:8], 0.0]}, "last row of K"),
        ({"k": make_k(fx=0.0)}, "K is zero"),
        ({"k": make_k(fx=1e-5)}, "K has a focal length of 1e-05 px, impossible for a 640x480 image; calibrate"),
        ({"k": make_k(fy=1e-320)}, "K has a focal length of"),
        ({"k": make_k(fx=1e300)}, "K has a focal length of"),
        ({"k": make_k(fx=-600.0)}, "K has a focal length of -600 px"),
        ({"k": make_k(cx=1e6)}, "K has its principal point at 1e.06, 238, far outside"),
        ({"k": make_k(cy=-1e6)}, "far outside"),
        ({"k": make_k(below=5.0)}, "second row of K begins with 5"),
        ({"k": make_k(skew=1e9)}, "skew of 1e.09"),
        ({"p": make_p(fx=-600.0)}, "P has a focal length of -600 px.*or leave P zero"),
        ({"p": make_p(fy=0.0)}, "P has a focal length of 0 px"),
        ({"p": make_p(fx=1e300)}, "P has a focal length of"),
        ({"p": make_p(cx=-1e6)}, "P has its principal point"),
        ({"p": [math.inf] * 12}, "infinity"),
        ({"p": [600.0, 0, 320, 0, 0, 600, 240, 0, 0, 0, 0, 0]}, "last row of P"),
        ({"d": [math.nan] * 5}, "NaN"),
        ({"width": 0}, "zero"),
        ({"distortion_model": "brown"}, "'brown' is unknown; use one of plumb_bob, rational_polynomial, equidistant"),
        ({"distortion_model": ""}, "distortion_model is empty"),
        ({"distortion_model": RATIONAL_POLYNOMIAL}, "takes 8 or 12 or 14 coefficients but D has 5"),
        ({"r": (2 * np.eye(3)).ravel().tolist()}, "not a rotation"),
        ({"r": [1e300] * 9}, "not a rotation"),
        ({"r": np.diag([1.0, 1, -1]).ravel().tolist()}, "not a rotation"),
        ({"r": np.array([[1, 1, 0], [0, 1, 0], [0, 0, 1.0]]).ravel().tolist()}, "not a rotation"),
        ({"roi": make_roi(600, 0, 100, 100)}, "leaves the 640x480 image"),
        ({"binning_x": 1000}, "leaves nothing"),
        ({"binning_x": 2, "binning_y": 2}, "describes a 320x240 image but the image is 640x480"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_unusable_info_is_one_sentence(changes, words):
    with pytest.raises(CameraError, match=words):
        camera_from_info(make_info(**changes), 640, 480)
