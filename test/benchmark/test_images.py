"""The images of a benchmark, as they would arrive."""

from itertools import islice

import numpy as np
import pytest
from wall import CAMERA, Wall

from endo_depth_ros.benchmark.images import EncodedImage, back_and_forth, encode, resize
from endo_depth_ros.geometry.camera import pinhole_from_hfov


def test_rgb8_arrives_as_it_was():
    image = Wall().frame(0)[0].image
    np.testing.assert_array_equal(encode(image, CAMERA, as_jpeg=False).decode(), image)


def test_a_jpeg_arrives_smaller_and_nearly_as_it_was():
    image = Wall().frame(0)[0].image
    encoded = encode(image, CAMERA, as_jpeg=True)
    assert len(encoded.data) < image.nbytes / 2
    assert np.abs(encoded.decode().astype(int) - image).mean() < 5


def test_a_resized_image_has_the_lens_of_the_original():
    image, camera = resize(np.zeros((100, 200, 3), np.uint8), pinhole_from_hfov(200, 100, 70.0), 400, 200)
    assert image.shape == (200, 400, 3)
    assert (camera.width, camera.height) == (400, 200)
    assert camera.K[0, 0] == pytest.approx(pinhole_from_hfov(400, 200, 70.0).K[0, 0])


def test_an_image_of_the_size_is_left_alone():
    image = Wall().frame(0)[0].image
    assert resize(image, CAMERA, CAMERA.width, CAMERA.height) == (image, CAMERA)


@pytest.mark.parametrize(("count", "order"), [(1, "000000"), (2, "010101"), (4, "0123210")])
def test_images_never_jump(count, order):
    images = [EncodedImage(str(index).encode(), False, CAMERA) for index in range(count)]
    assert b"".join(image.data for image in islice(back_and_forth(images), len(order))).decode() == order
