"""Raw encodings become the RGB that was put in, and impossible sizes one sentence."""

import array

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from endo_depth_ros.imaging.encodings import ENCODINGS, ImageError, UnsupportedEncodingError, decode_image

IMAGES = hnp.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3)))
COLOUR_PACKERS = {
    "rgb8": lambda rgb: rgb,
    "bgr8": lambda rgb: rgb[..., ::-1],
    "8UC3": lambda rgb: rgb[..., ::-1],
    "rgba8": lambda rgb: np.dstack([rgb, np.full(rgb.shape[:2], 7, np.uint8)]),
    "bgra8": lambda rgb: np.dstack([rgb[..., ::-1], np.full(rgb.shape[:2], 7, np.uint8)]),
}


def pad_rows(pixels, padding):
    """Rows of bytes with `padding` bytes of rubbish at the end of each, and the step."""
    rows = np.ascontiguousarray(pixels).reshape(pixels.shape[0], -1).view(np.uint8)
    rows = np.pad(rows, ((0, 0), (0, padding)), constant_values=123)
    return rows.tobytes(), rows.shape[1]


@pytest.mark.parametrize("encoding", COLOUR_PACKERS)
@given(rgb=IMAGES, padding=st.integers(0, 5), is_bigendian=st.booleans())
def test_colour_comes_back_through_any_padding(encoding, rgb, padding, is_bigendian):
    data, step = pad_rows(COLOUR_PACKERS[encoding](rgb), padding)
    image = decode_image(*rgb.shape[:2], encoding, is_bigendian, step, data)
    np.testing.assert_array_equal(image, rgb)
    assert image.flags.c_contiguous
    assert image.dtype == np.uint8


@pytest.mark.parametrize("encoding", ["mono8", "8UC1"])
@given(rgb=IMAGES, padding=st.integers(0, 5))
def test_grey_is_three_equal_channels(encoding, rgb, padding):
    grey = rgb[..., 0]
    data, step = pad_rows(grey, padding)
    image = decode_image(*grey.shape, encoding, False, step, data)
    np.testing.assert_array_equal(image, np.dstack([grey] * 3))


@pytest.mark.parametrize("encoding", ["mono16", "16UC1"])
@pytest.mark.parametrize("is_bigendian", [False, True])
@given(grey=hnp.arrays(np.uint16, st.tuples(st.integers(1, 9), st.integers(1, 9))), padding=st.integers(0, 5))
def test_mono16_drops_its_low_byte_in_both_byte_orders(encoding, is_bigendian, grey, padding):
    data, step = pad_rows(grey.astype(">u2" if is_bigendian else "<u2"), padding)
    image = decode_image(*grey.shape, encoding, is_bigendian, step, data)
    np.testing.assert_array_equal(image, np.dstack([(grey >> 8).astype(np.uint8)] * 3))
    assert image.flags.c_contiguous


@pytest.mark.parametrize(
    ("encoding", "order"), [("yuv422", "UYVY"), ("uyvy", "UYVY"), ("yuyv", "YUYV"), ("yuv422_yuy2", "YUYV")]
)
@given(pair=st.tuples(*[st.integers(16, 235)] * 4), padding=st.integers(0, 3))
def test_yuv422_follows_bt601(encoding, order, pair, padding):
    y0, y1, u, v = pair
    samples = {"Y": iter([y0, y1]), "U": iter([u]), "V": iter([v])}
    pixels = np.array([[next(samples[name]) for name in order]] * 2, np.uint8)
    data, step = pad_rows(pixels, padding)
    image = decode_image(2, 2, encoding, False, step, data).astype(float)
    for x, y in enumerate((y0, y1)):
        luma, cb, cr = 1.164 * (y - 16), u - 128, v - 128
        expected = [luma + 1.596 * cr, luma - 0.813 * cr - 0.391 * cb, luma + 2.018 * cb]
        np.testing.assert_allclose(image[1, x], np.clip(expected, 0, 255), atol=1.5)


@pytest.mark.parametrize(
    "wrap", [bytes, bytearray, memoryview, lambda b: array.array("B", b), lambda b: np.frombuffer(b, np.uint8)]
)
def test_any_buffer_is_read(wrap):
    rgb = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    np.testing.assert_array_equal(decode_image(2, 4, "rgb8", False, 12, wrap(rgb.tobytes())), rgb)


def test_unpadded_rgb8_is_not_copied():
    data = array.array("B", bytes(24))
    assert np.shares_memory(decode_image(2, 4, "rgb8", False, 12, data), np.frombuffer(data, np.uint8))


@pytest.mark.parametrize(
    ("height", "width", "encoding", "step", "size", "words"),
    [
        (0, 4, "rgb8", 12, 0, "0"),
        (2, 0, "rgb8", 0, 0, "pixels"),
        (2, 4, "rgb8", 11, 22, "step is 11"),
        (2, 4, "rgb8", 12, 23, "truncated: 23 bytes instead of step .* 24"),
        (2, 4, "rgb8", 12, 0, "truncated"),
        (2, 4, "rgb8", 12, 25, "oversized"),
        (2, 3, "yuv422", 6, 12, "width 3 is odd"),
        (2**31, 2**31, "mono8", 2**31, 10, "truncated"),
    ],
)
def test_impossible_sizes_are_one_sentence(height, width, encoding, step, size, words):
    with pytest.raises(ImageError, match=words):
        decode_image(height, width, encoding, False, step, bytes(size))


def test_unknown_encoding_lists_what_is_supported():
    with pytest.raises(UnsupportedEncodingError, match="bayer_rggb8") as error:
        decode_image(2, 2, "bayer_rggb8", False, 2, bytes(4))
    assert all(name in str(error.value) for name in ENCODINGS)


def test_opencv_sees_the_same_uyvy():
    pixels = np.random.default_rng(0).integers(0, 256, (4, 6, 2), np.uint8)
    image = decode_image(4, 6, "yuv422", False, 12, pixels.tobytes())
    np.testing.assert_array_equal(image[..., ::-1], cv2.cvtColor(pixels, cv2.COLOR_YUV2BGR_UYVY))
