"""depth_node over real DDS."""

import re
import threading

import numpy as np
import pytest
from depth_bench import MS, OUTPUTS, Bench, make_node, status_of
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from tissue import H, W, image_of, info_of, jpeg_of, tissue_image

from endo_depth_ros.nodes.runner import StartError
from endo_depth_ros.settings import SettingsError
from endo_depth_ros.stamps import stamp_ns_of

pytestmark = pytest.mark.ros


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
        ("model", "dream", "model is in use; clean the node up"),
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
    with pytest.raises(StartError, match="no model 'dream'; choose one of: endo_depth_small, shading"):
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


def test_an_impossible_transition_is_answered_and_the_node_goes_on(graph):
    bench = Bench(graph)
    client = graph.node.create_client(ChangeState, "/depth_node/change_state")
    assert client.wait_for_service(20.0)
    configure = ChangeState.Request()
    configure.transition.id = Transition.TRANSITION_CONFIGURE
    future = client.call_async(configure)
    graph.wait_for(future.done, "an answer to configure")
    assert future.result().success is False
    bench.send(1000 * MS)
    bench.answer(1000 * MS, "depth/image_rect")


def test_diagnostics_come_in_simulated_time_that_stands_still(graph):
    bench = Bench(graph, use_sim_time=True)
    graph.wait_for(lambda: bench.diagnostics, "diagnostics without a clock")


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
    assert [stamp_ns_of(m.header) for m in bench.received["depth/status"]] == stamps


def test_a_slow_model_drops_old_frames_and_counts_them(graph, monkeypatch):
    bench = Bench(graph, processing="newest")
    go_on, looked_at = threading.Event(), []
    begin, finish = bench.node._pipeline.begin, bench.node._pipeline.finish

    def slow(begun):
        assert go_on.wait(20)
        return finish(begun)

    monkeypatch.setattr(bench.node._pipeline, "begin", lambda frame: looked_at.append(frame) or begin(frame))
    monkeypatch.setattr(bench.node._pipeline, "finish", slow)
    for i in range(6):
        bench.send((1000 + i) * MS)
        graph.wait_for(lambda i=i: bench.node._received == 1 + i, "the frame")
        # While the model has the first frame, the second is looked at; the others wait or give way.
        graph.wait_for(lambda i=i: len(looked_at) == min(1 + i, 2), "the frame to be begun")
    go_on.set()
    assert status_of(bench.answer(1005 * MS))["dropped_frames"] == "3"
    answered = [stamp_ns_of(m.header) for m in bench.received["depth/status"]]
    assert answered == [1000 * MS, 1001 * MS, 1005 * MS]


def test_a_frame_that_breaks_the_model_is_answered_in_its_turn(graph, monkeypatch):
    bench = Bench(graph)
    finish = bench.node._pipeline.finish

    def fragile(begun):
        if begun.view.frame.stamp_ns == 1002 * MS:
            raise ArithmeticError("broken")
        return finish(begun)

    monkeypatch.setattr(bench.node._pipeline, "finish", fragile)
    stamps = [(1000 + i) * MS for i in range(5)]
    for stamp in stamps:
        bench.send(stamp)
    bench.answer(stamps[-1])
    statuses = bench.received["depth/status"]
    assert [stamp_ns_of(message.header) for message in statuses] == stamps
    assert [status_of(message)["verdict"] for message in statuses] == ["ok", "ok", "internal_error", "ok", "ok"]


def test_synchronous_mode_answers_within_the_callback_without_a_thread(graph, monkeypatch):
    bench = Bench(graph, synchronous=True)
    assert bench.node._worker is None
    threads, finish = [], bench.node._pipeline.finish
    monkeypatch.setattr(
        bench.node._pipeline, "finish", lambda begun: threads.append(threading.current_thread()) or finish(begun)
    )
    bench.infos.publish(info_of(1000 * MS))
    graph.wait_for(bench.node._camera_arrived.is_set, "the calibration")
    bench.send(1033 * MS)
    bench.answer(1033 * MS, "depth/image_rect")
    assert threads == [threading.main_thread()]


def test_a_dark_frame_is_answered_without_depth(graph):
    bench = Bench(graph)
    bench.send(1000 * MS, image_of(1000 * MS, np.zeros((H, W, 3), np.uint8)))
    assert status_of(bench.answer(1000 * MS))["verdict"] == "dark"
    depth = np.frombuffer(bench.answer(1000 * MS, "depth/image_rect").data, np.float32)
    assert np.isnan(depth).all()


def test_nothing_is_computed_when_nobody_listens(graph, monkeypatch):
    images, infos = graph.publisher(Image, "image_raw"), graph.publisher(CameraInfo, "camera_info")
    node = graph.add(make_node(synchronous=True))
    graph.wait_matched(images, infos)
    computed = []
    monkeypatch.setattr(node._pipeline, "begin", lambda frame: computed.append(frame))
    monkeypatch.setattr(node._pipeline, "rectify", lambda frame: computed.append(frame))
    infos.publish(info_of(1000 * MS))
    images.publish(image_of(1000 * MS))
    graph.wait_for(lambda: node._last_stamp_ns == 1000 * MS, "the image to be handled")
    assert computed == []
