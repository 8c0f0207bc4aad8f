"""Messages become RGB; cv_bridge is asked only for what nothing else can read."""

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from tissue import image_of, jpeg_of, tissue_image

from endo_depth_ros.imaging.encodings import ImageError
from endo_depth_ros.nodes.image_input import rgb_of_compressed, rgb_of_image


def with_cv_bridge(monkeypatch, convert):
    module = ModuleType("cv_bridge")
    module.CvBridge = lambda: SimpleNamespace(imgmsg_to_cv2=convert)
    monkeypatch.setitem(sys.modules, "cv_bridge", module)


def test_a_known_encoding_never_touches_cv_bridge(monkeypatch):
    with_cv_bridge(monkeypatch, lambda *_: pytest.fail("cv_bridge was asked"))
    np.testing.assert_array_equal(rgb_of_image(image_of(0)), tissue_image())


def test_an_unusual_encoding_goes_through_cv_bridge(monkeypatch):
    with_cv_bridge(monkeypatch, lambda message, encoding: tissue_image() if encoding == "rgb8" else None)
    message = image_of(0)
    message.encoding = "bayer_rggb8"
    np.testing.assert_array_equal(rgb_of_image(message), tissue_image())


def test_a_failure_of_cv_bridge_is_a_sentence(monkeypatch):
    def fail(*_):
        raise TypeError("boom")

    with_cv_bridge(monkeypatch, fail)
    message = image_of(0)
    message.encoding = "bayer_rggb8"
    with pytest.raises(ImageError, match="cv_bridge can't convert encoding 'bayer_rggb8'"):
        rgb_of_image(message)


def test_without_cv_bridge_the_supported_encodings_are_listed(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv_bridge", None)
    message = image_of(0)
    message.encoding = "bayer_rggb8"
    with pytest.raises(ImageError, match=r"(?s)bayer_rggb8.*rgb8.*cv_bridge"):
        rgb_of_image(message)


def test_a_jpeg_is_decoded_and_its_size_is_limited():
    assert np.abs(rgb_of_compressed(jpeg_of(0), 10**6).astype(int) - tissue_image()).mean() < 5
    with pytest.raises(ImageError):
        rgb_of_compressed(jpeg_of(0), 100)
