"""depth_node over real DDS."""

import re
import threading

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2
from tissue import H, W, header, image_of, info_of, jpeg_of, tissue_image

from endo_depth_ros.nodes.depth_node import DepthNode
from endo_depth_ros.nodes.runner import StartError
from endo_depth_ros.settings import SettingsError

pytestmark = pytest.mark.ros
MS = 1_000_000
OUTPUTS = {
    "depth/image_rect": Image,
    "depth/camera_info": CameraInfo,
    "rgb/image_rect": Image,
    "depth/sigma": Image,
    "depth/points": PointCloud2,
    "depth/image_color": Image,
    "depth/status": DiagnosticArray,
}


def make_node(**parameters):
    parameters = {"allow_relative": True, "device": "cpu", "processing": "every", **parameters}
    return DepthNode(parameter_overrides=[Parameter(name, value=value) for name, value in parameters.items()])


def stamp_ns(message):
    return message.header.stamp.sec * 10**9 + message.header.stamp.nanosec


def status_of(message):
    return {pair.key: pair.value for pair in message.status[0].values}


class Bench:
    """A depth node, what it publishes, and publishers to feed it."""

    def __init__(self, graph, image_type=Image, image_topic="image_raw", image_qos=50, **parameters):
        self.graph = graph
        self.received = {topic: graph.collect(kind, topic) for topic, kind in OUTPUTS.items()}
        self.diagnostics = graph.collect(DiagnosticArray, "/diagnostics")
        self.images = graph.publisher(image_type, image_topic, image_qos)
        self.infos = graph.publisher(CameraInfo, "camera_info")
        self.node = graph.add(make_node(**parameters))
        if self.node._image_subscription is not None:
            self.wait_ready()

    def wait_ready(self):
        self.graph.wait_matched(self.images, self.infos)
        self.graph.wait_for(
            lambda: all(self.node.count_subscribers(topic) for topic in OUTPUTS), "the node to see its subscribers"
        )

    def send(self, stamp, image=None, info=None):
        if info is not False:
            self.infos.publish(info or info_of(stamp))
        self.images.publish(image or image_of(stamp))

    def statuses(self):
        return [status_of(message) for message in self.received["depth/status"]]

    def answer(self, stamp, topic="depth/status"):
        """Wait for the message of this stamp."""
        found = self.graph.wait_for(
            lambda: [m for m in self.received[topic] if stamp_ns(m) == stamp], f"{topic} of stamp {stamp}"
        )
        return found[0]

    def counts(self, key):
        """Wait until the diagnostics count this kind of event."""

        def counted():
            pairs = [pair for m in self.diagnostics for s in m.status for pair in s.values if pair.key == key]
            return pairs and int(pairs[-1].value)

        return self.graph.wait_for(counted, f"diagnostics to count {key}")


def test_each_frame_is_answered_on_every_topic_with_its_stamp_and_frame(graph):
    bench = Bench(graph)
    for stamp in (1000 * MS, 1033 * MS, 1066 * MS):
        bench.send(stamp)
        for topic in OUTPUTS:
            message = bench.answer(stamp, topic)
            assert message.header.frame_id == "scope"
    assert all(len(messages) == 3 for messages in bench.received.values())


def test_depth_is_float_nan_outside_the_scope_and_as_large_as_its_camera_info(graph):
    bench = Bench(graph)
    bench.send(1000 * MS)
    depth, info, rgb = (bench.answer(1000 * MS, t) for t in ("depth/image_rect", "depth/camera_info", "rgb/image_rect"))
    assert (depth.encoding, depth.step, rgb.encoding, rgb.step) == ("32FC1", 4 * depth.width, "rgb8", 3 * rgb.width)
    assert {(m.width, m.height) for m in (depth, info, rgb)} == {(W, H)}
    values = np.frombuffer(depth.data, np.float32).reshape(H, W)
    assert np.isnan(values[tissue_image().max(2) == 0]).all()
    assert (values[H // 2 - 20 : H // 2 + 20, W // 2 - 20 : W // 2 + 20] > 0).all()
    assert not any(info.d)
    assert list(info.k) == list(info_of(0).k)


def test_a_larger_image_is_reduced_and_k_with_it(graph):
    bench = Bench(graph)
    bench.send(1000 * MS, image_of(1000 * MS, tissue_image(1280, 1024)), info_of(1000 * MS, 1280, 1024, 960.0))
    info = bench.answer(1000 * MS, "depth/camera_info")
    assert (info.width, info.height) == (320, 256)
    assert info.k[0] == pytest.approx(240.0)
    assert info.k[2] == pytest.approx((639.5 + 0.5) / 4 - 0.5)


def test_cloud_and_depth_agree(graph):
    bench = Bench(graph)
    bench.send(1000 * MS)
    depth, cloud, info = (bench.answer(1000 * MS, t) for t in ("depth/image_rect", "depth/points", "depth/camera_info"))
    values = np.frombuffer(depth.data, np.float32).reshape(H, W)
    points = np.frombuffer(cloud.data, np.float32).reshape(-1, 4)
    assert cloud.is_dense
    assert len(points) == np.isfinite(values).sum()
    v, u = np.argwhere(np.isfinite(values))[100]
    z = values[v, u]
    expected = [(u - info.k[2]) / info.k[0] * z, (v - info.k[5]) / info.k[4] * z, z]
    np.testing.assert_allclose(points[100, :3], expected, rtol=1e-5)


def test_sixteen_bit_depth_on_request(graph):
    bench = Bench(graph, depth_encoding="16UC1")
    bench.send(1000 * MS)
    depth = bench.answer(1000 * MS, "depth/image_rect")
    assert (depth.encoding, depth.step) == ("16UC1", 2 * W)
    assert np.frombuffer(depth.data, np.uint16).reshape(H, W)[0, 0] == 0


def test_relative_depth_is_withheld_and_the_status_says_so(graph):
    bench = Bench(graph, allow_relative=False)
    bench.send(1000 * MS)
    status = status_of(bench.answer(1000 * MS))
    bench.answer(1000 * MS, "rgb/image_rect")
    assert (status["published"], status["scale_state"], status["verdict"]) == ("false", "relative", "ok")
    assert bench.counts("relative_depth_withheld") == 1
    assert not bench.received["depth/image_rect"]


def test_a_given_scale_is_nominal_and_applied_from_the_next_frame(graph):
    bench = Bench(graph)
    bench.send(1000 * MS)
    before = np.frombuffer(bench.answer(1000 * MS, "depth/image_rect").data, np.float32)
    bench.node.set_parameters([Parameter("metres_per_unit", value=2.0)])
    bench.send(1033 * MS)
    after = np.frombuffer(bench.answer(1033 * MS, "depth/image_rect").data, np.float32)
    seen = np.isfinite(before)
    np.testing.assert_allclose(after[seen], 2 * before[seen], rtol=1e-5)
    status = status_of(bench.answer(1033 * MS))
    assert (status["scale_state"], status["scale"]) == ("nominal", "2.0")


def test_parameters_are_refused_with_the_reason(graph):
    node = Bench(graph).node
    for name, value, reason in (
        ("max_depth_m", 0.0001, "min_depth_m 0.001 m must be less than max_depth_m 0.0001 m"),
        ("saturated_level", 300, "300|range"),
        ("model", "shading", "model is in use; clean the node up"),
    ):
        (result,) = node.set_parameters([Parameter(name, value=value)])
        assert not result.successful
        assert re.search(reason, result.reason), result.reason


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"depth_encoding": "8UC1"}, "depth_encoding is '8UC1' but must be one of: 32FC1, 16UC1"),
        ({"input_width": 3}, "input_width"),
        ({"hfov_deg": 70}, "hfov_deg must be of type float; write it with a decimal point"),
    ],
)
def test_a_bad_parameter_at_start_is_refused_with_the_reason(graph, parameters, reason):
    with pytest.raises(SettingsError, match=reason):
        make_node(**parameters)


def test_an_unknown_model_ends_an_autostarted_node_with_the_known_ones(graph):
    with pytest.raises(StartError, match="no model 'dream'; choose one of: shading"):
        make_node(model="dream")


def test_without_autostart_transitions_are_up_to_the_operator(graph):
    bench = Bench(graph, autostart=False)
    node = bench.node
    for transition in (node.trigger_configure, node.trigger_activate):
        assert transition() == TransitionCallbackReturn.SUCCESS
    bench.wait_ready()
    bench.send(1000 * MS)
    bench.answer(1000 * MS)
    for transition in (
        node.trigger_deactivate,
        node.trigger_cleanup,
        node.trigger_configure,
        node.trigger_activate,
    ):
        assert transition() == TransitionCallbackReturn.SUCCESS
    bench.wait_ready()
    bench.send(2000 * MS)
    bench.answer(2000 * MS, "depth/image_rect")


def test_a_configured_model_can_be_changed_after_cleanup(graph):
    node = Bench(graph, autostart=False).node
    assert node.set_parameters([Parameter("input_width", value=160)])[0].successful
    node.trigger_configure()
    assert not node.set_parameters([Parameter("input_width", value=320)])[0].successful
    node.trigger_cleanup()
    assert node.set_parameters([Parameter("input_width", value=320)])[0].successful


def test_a_best_effort_camera_is_heard(graph):
    qos = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
    bench = Bench(graph, image_qos=qos)
    bench.send(1000 * MS)
    bench.answer(1000 * MS)


def test_compressed_images_are_decoded(graph):
    bench = Bench(graph, CompressedImage, "image_raw/compressed", image_transport="compressed")
    bench.send(1000 * MS, jpeg_of(1000 * MS))
    bench.answer(1000 * MS, "depth/image_rect")


def test_every_frame_is_answered_in_order_in_replay_mode(graph):
    bench = Bench(graph)
    stamps = [(1000 + 10 * i) * MS for i in range(40)]
    for stamp in stamps:
        bench.send(stamp)
    bench.answer(stamps[-1])
    assert [stamp_ns(m) for m in bench.received["depth/status"]] == stamps


def test_a_slow_model_drops_old_frames_and_counts_them(graph, monkeypatch):
    bench = Bench(graph, processing="newest")
    begun, go_on = threading.Event(), threading.Event()
    process = bench.node._pipeline.process

    def slow(frame):
        begun.set()
        assert go_on.wait(20)
        return process(frame)

    monkeypatch.setattr(bench.node._pipeline, "process", slow)
    bench.send(1000 * MS)
    graph.wait_for(begun.is_set, "the model to begin")
    for i in range(1, 6):
        bench.send(1000 * MS + i * MS)
        graph.wait_for(lambda i=i: bench.node._received == 1 + i, "the frame")
    go_on.set()
    assert status_of(bench.answer(1005 * MS))["dropped_frames"] == "4"
    assert [stamp_ns(m) for m in bench.received["depth/status"]] == [1000 * MS, 1005 * MS]


def test_synchronous_mode_answers_within_the_callback_without_a_thread(graph, monkeypatch):
    bench = Bench(graph, synchronous=True)
    assert bench.node._worker is None
    threads, process = [], bench.node._pipeline.process
    monkeypatch.setattr(
        bench.node._pipeline, "process", lambda frame: threads.append(threading.current_thread()) or process(frame)
    )
    bench.infos.publish(info_of(1000 * MS))
    graph.wait_for(bench.node._camera_arrived.is_set, "the calibration")
    bench.send(1033 * MS)
    bench.answer(1033 * MS, "depth/image_rect")
    assert threads == [threading.main_thread()]


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
    """A CameraInfo whose P shows what the camera never sees."""
    info = info_of(0)
    info.p[2] = 1e6
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
    assert [stamp_ns(m) for m in bench.received["depth/image_rect"]] == [1033 * MS]
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


def test_a_dark_frame_is_answered_without_depth(graph):
    bench = Bench(graph)
    bench.send(1000 * MS, image_of(1000 * MS, np.zeros((H, W, 3), np.uint8)))
    assert status_of(bench.answer(1000 * MS))["verdict"] == "dark"
    depth = np.frombuffer(bench.answer(1000 * MS, "depth/image_rect").data, np.float32)
    assert np.isnan(depth).all()


def test_a_topic_that_dies_and_returns_is_reported_and_answered_again(graph):
    bench = Bench(graph, stale_after_s=0.5)
    bench.send(1000 * MS)
    bench.answer(1000 * MS)
    assert bench.counts("no_images") == 1
    bench.send(9000 * MS)
    bench.answer(9000 * MS, "depth/image_rect")


def test_nothing_is_computed_when_nobody_listens(graph, monkeypatch):
    images, infos = graph.publisher(Image, "image_raw"), graph.publisher(CameraInfo, "camera_info")
    node = graph.add(make_node(synchronous=True))
    graph.wait_matched(images, infos)
    computed = []
    monkeypatch.setattr(node._pipeline, "process", lambda frame: computed.append(frame))
    monkeypatch.setattr(node._pipeline, "rectify", lambda frame: computed.append(frame))
    infos.publish(info_of(1000 * MS))
    images.publish(image_of(1000 * MS))
    graph.wait_for(lambda: node._last_stamp_ns == 1000 * MS, "the image to be handled")
    assert computed == []
