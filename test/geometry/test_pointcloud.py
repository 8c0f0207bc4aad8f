"""Point clouds against a plain loop over the pixels."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from endo_depth_ros.geometry.camera import Camera
from endo_depth_ros.geometry.pointcloud import POINT, PointCloudBuilder

HEIGHT, WIDTH = 5, 7
CAMERA = Camera(WIDTH, HEIGHT, np.array([[8.0, 0, 2.7], [0, 9.0, 2.1], [0, 0, 1]]))
DEPTHS = hnp.arrays(
    np.float32,
    (HEIGHT, WIDTH),
    elements=st.one_of(st.floats(0.0009765625, 8, width=32), st.sampled_from([np.nan, np.inf, -np.inf])),
)
COLOURS = hnp.arrays(np.uint8, (HEIGHT, WIDTH, 3))


def list_points(depth, rgb):
    """(x, y, z, r, g, b) of every pixel with finite depth, slowly."""
    K = CAMERA.K
    for v in range(HEIGHT):
        for u in range(WIDTH):
            z = float(depth[v, u])
            if np.isfinite(z):
                yield ((u - K[0, 2]) / K[0, 0] * z, (v - K[1, 2]) / K[1, 1] * z, z, *map(int, rgb[v, u]))


@given(DEPTHS, COLOURS)
def test_dense_points_are_the_plain_loop(depth, rgb):
    points = PointCloudBuilder(CAMERA).dense_points(depth, rgb)
    expected = list(list_points(depth, rgb))
    assert points.shape == (len(expected),)
    for point, (x, y, z, r, g, b) in zip(points, expected, strict=True):
        np.testing.assert_allclose([point["x"], point["y"], point["z"]], [x, y, z], rtol=1e-6)
        assert point["rgb"] == r << 16 | g << 8 | b


@given(DEPTHS, COLOURS)
def test_organised_points_keep_the_grid_and_are_nan_where_invalid(depth, rgb):
    points = PointCloudBuilder(CAMERA).organised_points(depth, rgb)
    assert points.shape == (HEIGHT, WIDTH)
    valid = np.isfinite(depth)
    np.testing.assert_array_equal(points[valid], PointCloudBuilder(CAMERA).dense_points(depth, rgb))
    for axis in ("x", "y", "z"):
        assert np.isnan(points[axis][~valid]).all()


def test_bytes_are_what_pcl_reads():
    depth = np.full((HEIGHT, WIDTH), 2.0, np.float32)
    rgb = np.full((HEIGHT, WIDTH, 3), (10, 20, 30), np.uint8)
    points = PointCloudBuilder(CAMERA).dense_points(depth, rgb)
    assert POINT.itemsize == 16
    assert points.flags.c_contiguous
    x, y, z, b, g, r, zero = struct.unpack("<fffBBBB", points.tobytes()[:16])
    assert (z, r, g, b, zero) == (2.0, 10, 20, 30, 0)
    assert (x, y) == pytest.approx((-2.7 / 8 * 2, -2.1 / 9 * 2))


def test_points_do_not_change_with_the_next_frame():
    builder = PointCloudBuilder(CAMERA)
    rgb = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    first = builder.organised_points(np.full((HEIGHT, WIDTH), 1.0, np.float32), rgb)
    builder.organised_points(np.full((HEIGHT, WIDTH), 2.0, np.float32), rgb)
    assert (first["z"] == 1).all()


def test_images_of_another_size_are_refused():
    with pytest.raises(ValueError, match="don't fit"):
        PointCloudBuilder(CAMERA).dense_points(np.ones((2, 2), np.float32), np.ones((2, 2, 3), np.uint8))
