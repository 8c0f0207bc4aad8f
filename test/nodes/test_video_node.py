"""video_node over real DDS."""

import time

import numpy as np
import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import CameraInfo, Image
from synthetic_media import HEIGHT, WIDTH, calibrated_camera, make_image, write_folder, write_video
from tf2_msgs.msg import TFMessage

from endo_depth_ros.bags.camera_yaml import write_camera
from endo_depth_ros.bags.source import make_broken_frame
from endo_depth_ros.geometry.assumed_camera import assumed_camera_from_info
from endo_depth_ros.geometry.camera import camera_from_info, pinhole_from_hfov
from endo_depth_ros.nodes import video_node
from endo_depth_ros.nodes.runner import StartError
from endo_depth_ros.nodes.subscribers import SETTLE_S
from endo_depth_ros.nodes.video_node import VideoNode
from endo_depth_ros.settings import SettingsError

pytestmark = pytest.mark.ros
LATCHED = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)


def make_node(**parameters):
    return VideoNode(parameter_overrides=[Parameter(name, value=value) for name, value in parameters.items()])


def stamp_ns(message):
    return message.header.stamp.sec * 10**9 + message.header.stamp.nanosec


def test_a_video_arrives_whole_in_order_and_the_node_ends(graph, tmp_path):
    write_camera(tmp_path / "camera.yaml", calibrated_camera())
    images, infos = graph.collect(Image, "image_raw"), graph.collect(CameraInfo, "camera_info")
    source = str(write_video(tmp_path / "video.mp4"))
    node = graph.add(make_node(source=source, camera_file=str(tmp_path / "camera.yaml"), frame_id="scope"))
    graph.wait_for(lambda: node.done.done() and len(images) == len(infos) == 10, "ten frames and the end")
    assert node.done.result() == 0
    assert [stamp_ns(m) for m in images] == [stamp_ns(m) for m in infos]
    assert np.all(np.diff([stamp_ns(m) for m in images]) > 0)
    assert {m.header.frame_id for m in (*images, *infos)} == {"scope"}
    for index, message in enumerate(images):
        assert (message.width, message.height, message.encoding, message.step) == (WIDTH, HEIGHT, "rgb8", 3 * WIDTH)
        pixels = np.frombuffer(message.data, np.uint8).reshape(HEIGHT, WIDTH, 3)
        assert np.abs(pixels.astype(int) - make_image(index)).mean() < 6
    assert camera_from_info(infos[0], WIDTH, HEIGHT).K.tolist() == calibrated_camera().K.tolist()


def test_an_assumed_field_of_view_is_told_as_uncalibrated(graph, tmp_path):
    infos = graph.collect(CameraInfo, "camera_info")
    graph.collect(Image, "image_raw")
    graph.add(make_node(source=str(write_folder(tmp_path / "images")), hfov_deg=80.0))
    graph.wait_for(lambda: infos, "camera_info")
    assert not any(infos[0].k)
    assert assumed_camera_from_info(infos[0], WIDTH, HEIGHT) == pinhole_from_hfov(WIDTH, HEIGHT, 80.0)


def test_without_calibration_there_is_no_camera_info(graph, tmp_path):
    images, infos = graph.collect(Image, "image_raw"), graph.collect(CameraInfo, "camera_info")
    node = graph.add(make_node(source=str(write_folder(tmp_path / "images", 3))))
    graph.wait_for(lambda: node.done.done() and len(images) == 3, "three frames and the end")
    assert infos == []


def test_the_optical_frame_hangs_below_the_body_frame(graph, tmp_path):
    transforms = graph.collect(TFMessage, "/tf_static", LATCHED)
    graph.add(make_node(source=str(write_folder(tmp_path / "images")), parent_frame_id="tip"))
    graph.wait_for(lambda: transforms, "a static transform")
    (transform,) = transforms[0].transforms
    assert (transform.header.frame_id, transform.child_frame_id) == ("tip", "endoscope_optical_frame")
    q = transform.transform.rotation
    assert (q.x, q.y, q.z, q.w) == (-0.5, 0.5, -0.5, 0.5)


def test_nothing_is_sent_before_somebody_listens(graph, tmp_path):
    node = graph.add(make_node(source=str(write_folder(tmp_path / "images", 3))))
    images = graph.collect(Image, "image_raw")
    graph.wait_for(lambda: node.done.done() and len(images) == 3, "all frames, though the subscriber came late")


def test_a_file_waits_for_the_node_that_it_is_for(graph, tmp_path):
    early = graph.collect(Image, "image_raw")
    node = graph.add(make_node(source=str(write_folder(tmp_path / "images", 3)), wait_for_node="depth_node"))
    graph.wait_for(lambda: node._images.get_subscription_count() == 1, "the first subscriber")
    # Longer than any subscriber is waited for once it is there.
    over_s = time.monotonic() + SETTLE_S + 0.2
    graph.wait_for(lambda: early or time.monotonic() > over_s)
    assert early == []
    late = []
    graph.add(rclpy.create_node("depth_node")).create_subscription(Image, "image_raw", late.append, 10)
    graph.wait_for(lambda: node.done.done() and len(late) == len(early) == 3, "all frames, though depth_node came late")


def test_a_loop_goes_on_past_the_end_with_later_stamps(graph, tmp_path):
    images = graph.collect(Image, "image_raw", 100)
    graph.add(make_node(source=str(write_folder(tmp_path / "images", 3)), loop=True, fps=60.0))
    graph.wait_for(lambda: len(images) > 7, "the third round")
    assert np.all(np.diff([stamp_ns(m) for m in images]) > 0)


def test_the_next_frame_waits_until_the_one_before_was_consumed(graph, tmp_path):
    images = graph.collect(Image, "image_raw")
    status = graph.publisher(DiagnosticArray, "depth/status")
    parameters = {"pacing": "as_fast_as_consumed", "consumed_timeout_s": 60.0, "fps": 100.0}
    node = graph.add(make_node(source=str(write_folder(tmp_path / "images", 4)), **parameters))
    graph.wait_matched(status)
    for count in range(1, 5):
        graph.wait_for(lambda count=count: len(images) >= count, f"frame {count}")
        assert len(images) == count
        assert not node.done.done()
        status.publish(DiagnosticArray(header=images[-1].header))
    graph.wait_for(node.done.done, "the end")


def test_reception_paces_where_no_status_is_named(graph, tmp_path):
    images = graph.collect(Image, "image_raw")
    parameters = {"pacing": "as_fast_as_consumed", "consumed_topic": ""}
    node = graph.add(make_node(source=str(write_folder(tmp_path / "images", 12)), **parameters))
    graph.wait_for(lambda: node.done.done() and len(images) == 12, "all frames")


def test_a_frame_that_nobody_consumes_is_given_up_and_said(graph, tmp_path):
    images = graph.collect(Image, "image_raw")
    parameters = {"pacing": "as_fast_as_consumed", "consumed_timeout_s": 0.02}
    node = graph.add(make_node(source=str(write_folder(tmp_path / "images", 3)), **parameters))
    graph.wait_for(lambda: node.done.done() and len(images) == 3, "all frames")
    assert node._complaints.counts["not_consumed"] == 3


def test_a_corrupt_image_is_counted_and_the_rest_arrive(graph, tmp_path):
    folder = write_folder(tmp_path / "images", 5)
    (folder / "2.png").write_bytes(b"broken")
    images = graph.collect(Image, "image_raw")
    node = graph.add(make_node(source=str(folder)))
    graph.wait_for(lambda: node.done.done() and len(images) == 4, "four frames")
    assert node._complaints.counts == {"bad_image": 1}


def test_a_source_without_any_readable_frame_ends_with_an_error(graph, tmp_path):
    folder = write_folder(tmp_path / "images", 2)
    for file in folder.iterdir():
        file.write_bytes(b"broken")
    graph.collect(Image, "image_raw")
    node = graph.add(make_node(source=str(folder), loop=True))
    graph.wait_for(node.done.done, "the end")
    assert node.done.result() == 1


class UnpluggedCamera:
    """A camera of which no image comes."""

    name, warning, frame_count, fps = "/dev/video0", "", None, None

    def __iter__(self):
        while True:
            yield make_broken_frame(0, "", "no image comes")


def test_a_camera_without_images_can_be_stopped(graph, monkeypatch):
    monkeypatch.setattr(video_node, "DeviceSource", lambda *arguments: UnpluggedCamera())
    node = graph.add(make_node(source="/dev/video0"))
    graph.wait_for(lambda: node._complaints.counts.get("bad_image"), "a complaint")
    node._worker.stop_event.set()
    graph.wait_for(node.done.done, "the end")


def test_the_calibration_of_the_folder_is_published(graph, tmp_path):
    infos = graph.collect(CameraInfo, "camera_info")
    graph.collect(Image, "image_raw")
    folder = write_folder(tmp_path / "images", 3)
    write_camera(folder / "camera.yaml", calibrated_camera())
    graph.add(make_node(source=str(folder)))
    graph.wait_for(lambda: infos, "camera_info")
    assert camera_from_info(infos[0], WIDTH, HEIGHT).K.tolist() == calibrated_camera().K.tolist()


def test_a_calibration_of_another_size_is_said_and_not_published(graph, tmp_path):
    write_camera(tmp_path / "camera.yaml", calibrated_camera().resized(128, 96))
    images, infos = graph.collect(Image, "image_raw"), graph.collect(CameraInfo, "camera_info")
    folder, camera = write_folder(tmp_path / "images", 3), str(tmp_path / "camera.yaml")
    node = graph.add(make_node(source=str(folder), camera_file=camera))
    graph.wait_for(lambda: node.done.done() and len(images) == 3, "all frames")
    assert infos == []
    assert node._complaints.counts == {"bad_camera": 3}


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"source": "/none/video.mp4"}, "no such file"),
        ({"source": "/dev/video99"}, "can't be opened"),
        ({"source": "/etc/hostname"}, "not a video"),
        ({"source": "{folder}", "camera_file": "/none.yaml"}, "/none.yaml"),
    ],
)
def test_a_bad_source_stops_the_start_with_one_sentence(graph, tmp_path, parameters, words):
    folder = write_folder(tmp_path / "images", 1)
    parameters = {key: value.format(folder=folder) for key, value in parameters.items()}
    with pytest.raises(StartError, match=words):
        make_node(**parameters)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({}, "source is empty"),
        ({"source": "a", "camera_file": "b", "hfov_deg": 70.0}, "both given"),
        ({"source": "a", "frame_id": ""}, "frame_id is empty"),
        ({"source": "a", "rate": 0.0}, "parameter rate"),
        ({"source": "a", "fps": 1e-300}, "fps is 1e-300"),
    ],
)
def test_bad_parameters_are_refused_with_the_reason(graph, parameters, words):
    with pytest.raises(SettingsError, match=words):
        make_node(**parameters)
