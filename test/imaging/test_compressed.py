"""Compressed images come back, and bombs, stumps and rubbish do not."""

import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endo_depth_ros.imaging.compressed import JPEG_EOI, PNG_MAGIC, decode_compressed
from endo_depth_ros.imaging.encodings import ImageError

HEIGHT, WIDTH = 24, 40


def make_rgb():
    """A smooth colour image, so that JPEG keeps it nearly."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.dstack([x * 5 + 20, y * 8 + 10, 200 - x * 4]).astype(np.uint8)


def encode(image, extension, *options):
    """The file's bytes; image in OpenCV's channel order."""
    ok, data = cv2.imencode(extension, image, list(options))
    assert ok
    return data.tobytes()


JPEG = encode(make_rgb()[..., ::-1], ".jpg", cv2.IMWRITE_JPEG_QUALITY, 98)
PNG = encode(make_rgb()[..., ::-1], ".png")


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview, lambda b: np.frombuffer(b, np.uint8)])
def test_png_comes_back_exactly(wrap):
    image = decode_compressed(wrap(PNG))
    np.testing.assert_array_equal(image, make_rgb())
    assert image.flags.c_contiguous


@pytest.mark.parametrize("options", [(), (cv2.IMWRITE_JPEG_PROGRESSIVE, 1), (cv2.IMWRITE_JPEG_RST_INTERVAL, 1)])
def test_jpeg_comes_back_nearly(options):
    image = decode_compressed(encode(make_rgb()[..., ::-1], ".jpg", cv2.IMWRITE_JPEG_QUALITY, 98, *options))
    assert np.abs(image.astype(int) - make_rgb()).mean() < 3


@pytest.mark.parametrize("extension", [".png", ".jpg"])
def test_grey_is_three_equal_channels(extension):
    image = decode_compressed(encode(np.full((HEIGHT, WIDTH), 90, np.uint8), extension))
    assert image.shape == (HEIGHT, WIDTH, 3)
    assert np.abs(image.astype(int) - 90).max() <= 1


def test_alpha_is_dropped():
    bgra = np.dstack([make_rgb()[..., ::-1], np.zeros((HEIGHT, WIDTH), np.uint8)])
    np.testing.assert_array_equal(decode_compressed(encode(bgra, ".png")), make_rgb())


def test_16_bit_keeps_its_high_byte():
    image = decode_compressed(encode(make_rgb()[..., ::-1].astype(np.uint16) * 256 + 200, ".png"))
    np.testing.assert_array_equal(image, make_rgb())


def test_exif_orientation_leaves_the_pixels_where_they_are():
    tag = struct.pack(">HHHHHHHI", 0x4D4D, 42, 0, 8, 1, 0x0112, 3, 1) + struct.pack(">HHI", 6, 0, 0)
    segment = b"Exif\x00\x00" + tag
    turned = JPEG[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + JPEG[2:]
    assert decode_compressed(turned).shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize("data", [JPEG, PNG])
def test_every_stump_is_refused(data):
    for length in range(len(data)):
        with pytest.raises(ImageError):
            decode_compressed(data[:length])


def test_jpeg_with_a_whole_thumbnail_but_no_end_is_refused():
    thumbnail = b"Exif\x00\x00" + JPEG
    stump = JPEG[:2] + b"\xff\xe1" + struct.pack(">H", len(thumbnail) + 2) + thumbnail + JPEG[2 : -len(JPEG_EOI)]
    with pytest.raises(ImageError, match="truncated"):
        decode_compressed(stump)


@given(at=st.integers(len(PNG_MAGIC), len(PNG) - 1), flip=st.integers(1, 255))
def test_any_damaged_byte_of_a_png_is_noticed(at, flip):
    damaged = bytearray(PNG)
    damaged[at] ^= flip
    with pytest.raises(ImageError):
        decode_compressed(bytes(damaged))


@given(data=st.binary(max_size=200), magic=st.sampled_from([b"", JPEG[:3], PNG_MAGIC, JPEG[:200], PNG[:40]]))
def test_rubbish_is_refused(data, magic):
    with pytest.raises(ImageError):
        decode_compressed(magic + data)


def make_large_jpeg(*options):
    """640x480 with shading and noise, so that every part of the file holds picture data."""
    y, x = np.mgrid[:480, :640]
    smooth = np.dstack([127 + 80 * np.sin(x / 20), 127 + 80 * np.cos(y / 15), 0.3 * x])
    return encode((smooth + np.random.default_rng(0).integers(0, 20, smooth.shape)).astype(np.uint8), ".jpg", *options)


LARGE_JPEGS = [
    make_large_jpeg(),
    make_large_jpeg(cv2.IMWRITE_JPEG_RST_INTERVAL, 4),
    make_large_jpeg(cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
]
each_kind = pytest.mark.parametrize("jpeg", LARGE_JPEGS, ids=["baseline", "restarts", "progressive"])


def check_refused_quietly(jpeg, capfd):
    with pytest.raises(ImageError, match="JPEG is corrupt"):
        decode_compressed(jpeg)
    assert capfd.readouterr().err == ""


@each_kind
@pytest.mark.parametrize("share", [0.3, 0.5, 0.9])
def test_jpeg_whose_rest_is_missing_is_refused_although_it_ends(jpeg, share, capfd):
    check_refused_quietly(jpeg[: int(share * len(jpeg))] + JPEG_EOI, capfd)


@each_kind
@pytest.mark.parametrize("share", [0.3, 0.5, 0.9])
def test_jpeg_with_rubbish_in_its_picture_is_refused(jpeg, share, capfd):
    at = int(share * len(jpeg))
    check_refused_quietly(jpeg[:at] + np.random.default_rng(1).bytes(300) + jpeg[at + 300 :], capfd)


@each_kind
def test_jpeg_with_a_zeroed_block_is_refused(jpeg, capfd):
    at = len(jpeg) // 2
    check_refused_quietly(jpeg[:at] + bytes(800) + jpeg[at + 800 :], capfd)


@each_kind
def test_jpeg_whose_tail_is_zeroed_is_refused(jpeg, capfd):
    check_refused_quietly(jpeg[:-802] + bytes(800) + JPEG_EOI, capfd)


@each_kind
@pytest.mark.parametrize("size", [(480, 320), (960, 640), (240, 640)])
def test_jpeg_that_claims_another_size_is_refused(jpeg, size, capfd):
    at = max(jpeg.find(b"\xff\xc0"), jpeg.find(b"\xff\xc2"))
    check_refused_quietly(jpeg[: at + 5] + struct.pack(">HH", *size) + jpeg[at + 9 :], capfd)


@each_kind
@pytest.mark.parametrize("tail", [bytes(4096), b"\x00", b"\xff\xd9", bytes(7) + b"\xff\xd9", b"rubbish"])
def test_bytes_after_the_end_of_a_jpeg_do_no_harm(jpeg, tail):
    np.testing.assert_array_equal(decode_compressed(jpeg + tail), decode_compressed(jpeg))


@each_kind
@pytest.mark.parametrize("padding", [bytes(1), bytes(3), bytes(4096), b"\xff" * 50])
def test_padding_before_the_end_of_a_jpeg_does_no_harm(jpeg, padding):
    padded = jpeg[:-2] + padding + JPEG_EOI
    np.testing.assert_array_equal(decode_compressed(padded), decode_compressed(jpeg))
    np.testing.assert_array_equal(decode_compressed(padded + bytes(100)), decode_compressed(jpeg))


def without_segments(jpeg, markers):
    at, kept = 2, jpeg[:2]
    while jpeg[at + 1] != 0xDA:
        end = at + 2 + struct.unpack_from(">H", jpeg, at + 2)[0]
        kept += b"" if jpeg[at + 1] in markers else jpeg[at:end]
        at = end
    return kept + jpeg[at:]


def test_webcam_jpeg_without_huffman_tables_comes_back():
    bare = without_segments(LARGE_JPEGS[0], (0xC4, 0xE0))
    mjpeg = bare[:2] + b"\xff\xe0\x00\x10AVI1" + bytes(10) + bare[2:]
    np.testing.assert_array_equal(decode_compressed(mjpeg), decode_compressed(LARGE_JPEGS[0]))


def test_odd_header_values_do_no_harm():
    jpeg = LARGE_JPEGS[0]
    at = jpeg.index(b"\xff\xda")
    for odd in (jpeg.replace(b"JFIF\x00\x01", b"JFIF\x00\x02"), jpeg[: at + 11] + bytes(3) + jpeg[at + 14 :]):
        assert odd != jpeg
        np.testing.assert_array_equal(decode_compressed(odd), decode_compressed(jpeg))


def test_pixels_are_those_of_opencv():
    expected = cv2.cvtColor(cv2.imdecode(np.frombuffer(LARGE_JPEGS[0], np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    assert np.abs(decode_compressed(LARGE_JPEGS[0]).astype(int) - expected).max() <= 2


def test_png_bomb_is_refused_by_its_header():
    header = b"IHDR" + struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    chunks = [header, b"IDAT" + zlib.compress(b""), b"IEND"]
    framed = [struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in chunks]
    with pytest.raises(ImageError, match="60000x60000, over the limit"):
        decode_compressed(PNG_MAGIC + b"".join(framed))


def test_jpeg_bomb_is_refused_by_its_header():
    at = JPEG.index(b"\xff\xc0")
    bomb = JPEG[: at + 5] + struct.pack(">HH", 60000, 60000) + JPEG[at + 9 :]
    with pytest.raises(ImageError, match="60000x60000, over the limit"):
        decode_compressed(bomb)


def test_limit_counts_pixels():
    assert decode_compressed(PNG, max_pixels=HEIGHT * WIDTH).shape == (HEIGHT, WIDTH, 3)
    with pytest.raises(ImageError, match="limit"):
        decode_compressed(PNG, max_pixels=HEIGHT * WIDTH - 1)


@pytest.mark.parametrize("data", [b"", b"GIF89a" + bytes(50), b"BM" + bytes(50)])
def test_other_formats_are_refused(data):
    with pytest.raises(ImageError, match="neither JPEG nor PNG"):
        decode_compressed(data)
