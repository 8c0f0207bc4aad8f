"""Bad input thrown at a running depth_node: one sentence, a count, and the next frame is answered."""

import math
import re

import numpy as np
import pytest
import torch
from depth_bench import MS, Bench, make_node, status_of
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from tissue import H, W, header, image_of, info_of, jpeg_of, tissue_image

from endo_depth_ros.contracts import ScaleState
from endo_depth_ros.stamps import stamp_ns_of

pytestmark = pytest.mark.ros


def test_bad_images_are_told_while_nobody_listens(graph):
    images, infos = graph.publisher(Image, "image_raw"), graph.publisher(CameraInfo, "camera_info")
    node = graph.add(make_node())
    graph.wait_matched(images, infos)
    infos.publish(info_of(1000 * MS))
    images.publish(truncated(1000 * MS))
    graph.wait_for(lambda: node._complaints.counts.get("bad_image"), "the complaint")


def test_odd_headers_are_told_and_passed_on_unchanged(graph):
    bench = Bench(graph)
    bench.send(1000 * MS, image_of(1000 * MS, frame_id="tip"))
    assert bench.answer(1000 * MS, "depth/image_rect").header.frame_id == "tip"
    bench.send(1000 * MS)
    bench.send(2000 * MS, image_of(2000 * MS, frame_id=""))
    bench.answer(2000 * MS, "depth/image_rect")
    for kind in ("frame_id_differs", "bad_stamp", "no_frame_id"):
        assert bench.counts(kind) == 1


def truncated(stamp):
    message = image_of(stamp)
    message.data = message.data[:100]
    return message


def oversized(stamp):
    message = image_of(stamp)
    message.data = message.data + message.data
    return message


def changed(stamp, **fields):
    message = image_of(stamp)
    for name, value in fields.items():
        setattr(message, name, value)
    return message


def looking_away():
    """A CameraInfo whose R turns the view to where the camera never looks."""
    info = info_of(0)
    info.r = np.diag([1.0, -1.0, -1.0]).ravel()
    return info


BAD_IMAGES = {
    "truncated data": (truncated, "bytes"),
    "oversized data": (oversized, "bytes"),
    "wrong step": (lambda s: changed(s, step=7), "step"),
    "zero size": (lambda s: changed(s, width=0, height=0), "size|empty|zero"),
    "unknown encoding": (lambda s: changed(s, encoding="klingon"), "klingon"),
    "another size than its CameraInfo": (lambda s: image_of(s, tissue_image(80, 64)), "80x64"),
}


@pytest.mark.parametrize("what", BAD_IMAGES)
def test_a_bad_image_is_refused_with_its_topic_and_the_next_one_is_answered(graph, what):
    make, complaint = BAD_IMAGES[what]
    bench = Bench(graph)
    bench.send(1000 * MS, make(1000 * MS))
    status = status_of(bench.answer(1000 * MS))
    assert status["verdict"] == "invalid_input"
    assert status["published"] == "false"
    assert status["reason"].startswith("/")
    assert re.search(complaint, status["reason"]), status["reason"]
    bench.send(1033 * MS)
    bench.answer(1033 * MS, "depth/image_rect")
    assert [stamp_ns_of(m.header) for m in bench.received["depth/image_rect"]] == [1033 * MS]
    assert bench.counts("bad_camera_info" if "CameraInfo" in what else "bad_image") == 1


@pytest.mark.parametrize(
    ("info", "complaint"),
    [
        (info_of(0, f=float("nan")), "NaN"),
        (header(CameraInfo(width=W, height=H), 0), "uncalibrated"),
        (info_of(0, width=2 * W), "describes a 320x128 image but the image is 160x128"),
        (looking_away(), "show no part of the image"),
    ],
)
def test_a_bad_calibration_is_refused_and_a_good_one_ends_it(graph, info, complaint):
    bench = Bench(graph)
    bench.send(1000 * MS, info=info)
    assert complaint in status_of(bench.answer(1000 * MS))["reason"]
    bench.send(1033 * MS)
    bench.answer(1033 * MS, "depth/image_rect")


def test_without_camera_info_the_reason_names_the_topic_and_the_remedy(graph):
    bench = Bench(graph)
    bench.send(1000 * MS, info=False)
    reason = status_of(bench.answer(1000 * MS))["reason"]
    assert "/camera_info" in reason
    assert "hfov_deg" in reason


def test_an_assumed_lens_gives_depth_that_is_called_uncalibrated(graph):
    bench = Bench(graph, hfov_deg=70.0)
    bench.send(1000 * MS, info=False)
    bench.answer(1000 * MS, "depth/image_rect")
    assert status_of(bench.answer(1000 * MS))["calibrated"] == "false"


def test_stamps_that_go_back_reset_the_state_and_are_answered(graph):
    bench = Bench(graph)
    for stamp in (5000 * MS, 1000 * MS):
        bench.send(stamp)
        bench.answer(stamp, "depth/image_rect")
    assert bench.counts("stamps_went_back") == 1


def test_a_corrupt_jpeg_is_refused_and_the_next_one_is_answered(graph):
    bench = Bench(graph, CompressedImage, "image_raw/compressed", image_transport="compressed")
    bad = jpeg_of(1000 * MS)
    bad.data = bad.data[: len(bad.data) // 2]
    bench.send(1000 * MS, bad)
    assert status_of(bench.answer(1000 * MS))["verdict"] == "invalid_input"
    bench.send(1033 * MS, jpeg_of(1033 * MS))
    bench.answer(1033 * MS, "depth/image_rect")


def test_a_topic_that_dies_and_returns_is_reported_and_answered_again(graph):
    bench = Bench(graph, stale_after_s=0.5)
    bench.send(1000 * MS)
    bench.answer(1000 * MS)
    assert bench.counts("no_images") == 1
    bench.send(9000 * MS)
    bench.answer(9000 * MS, "depth/image_rect")


class LostGpu:
    """An estimator whose GPU is gone; the meta device stands for it."""

    name = "shading"
    scale_state = ScaleState.RELATIVE
    scale_sigma = math.nan
    constant_scale = False
    device = torch.device("meta")

    def estimate(self, batch):
        raise RuntimeError("CUDA error: device-side assert triggered")


def test_a_lost_gpu_is_reported_and_the_same_image_is_answered_by_the_cpu(graph):
    bench = Bench(graph)
    bench.node._pipeline.estimator = LostGpu()
    bench.send(1000 * MS)
    bench.answer(1000 * MS, "depth/image_rect")
    assert status_of(bench.answer(1000 * MS))["device"] == "cpu"
    assert bench.counts("device_failed") == 1
