"""Depth images of other nodes are read as they were meant, or refused with the reason."""

import numpy as np
import pytest

from endo_depth_ros.imaging.depth_image import decode_depth_image
from endo_depth_ros.imaging.encodings import ImageError


def test_metres_pass_unchanged_with_nan_and_infinities():
    values = np.array([[0.01, np.nan, np.inf], [-np.inf, 0.0, 2.5]], np.float32)
    np.testing.assert_array_equal(decode_depth_image(2, 3, "32FC1", False, 12, values.tobytes()), values)


def test_millimetres_become_metres_and_zero_becomes_nan():
    values = np.array([[1, 0], [250, 65535]], np.uint16)
    depth = decode_depth_image(2, 2, "16UC1", False, 4, values.tobytes())
    np.testing.assert_allclose(depth, [[0.001, np.nan], [0.25, 65.535]], rtol=1e-6)


def test_padding_and_byte_order_are_obeyed():
    values = np.array([[0.5, 1.5], [2.5, 3.5]], ">f4")
    padded = np.pad(values.view(np.uint8), ((0, 0), (0, 4)))
    np.testing.assert_array_equal(decode_depth_image(2, 2, "32FC1", True, 12, padded.tobytes()), values.astype("f4"))


@pytest.mark.parametrize(
    ("encoding", "step", "size", "words"),
    [
        ("rgb8", 6, 12, "encoding 'rgb8' is no depth"),
        ("32FC1", 8, 12, "12 bytes in rows of 8"),
        ("32FC1", 4, 8, "don't make 2x2 pixels"),
    ],
)
def test_what_is_no_depth_is_refused_with_the_reason(encoding, step, size, words):
    with pytest.raises(ImageError, match=words):
        decode_depth_image(2, 2, encoding, False, step, bytes(size))
