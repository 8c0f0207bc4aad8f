"""pose_node where things go wrong: time, frames that are missing or make no sense, and its services."""

import threading
from dataclasses import replace

import numpy as np
import pytest
from pose_bench import CAMERA, METRIC, PERIOD_NS, PoseBench, frame_messages, look, matrix_of, stamp_of
from rclpy.parameter import Parameter
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image
from sphere_world import wander
from tissue import header

from endo_depth_ros.bags.tum_file import read_tum
from endo_depth_ros.contracts import FrameStatus, Verdict
from endo_depth_ros.geometry.transforms import invert_transform
from endo_depth_ros.nodes.messages import image_message, rectified_camera_info_message, status_message
from endo_depth_ros.stamps import stamp_ns_of

pytestmark = pytest.mark.ros


def head_of(index):
    return header(Image(), stamp_of(index), "scope").header


# Time


def test_a_clock_that_jumps_back_begins_anew_and_says_so(graph):
    bench = PoseBench(graph)
    bench.walk(*range(10, 15))
    assert matrix_of(bench.odometry_of(14).pose.pose)[:3, 3].any()
    (answer, *_, last) = bench.walk(*range(3))
    assert (answer["state"], answer["segment"], last["state"]) == ("initialising", "0", "tracking")
    assert bench.counts("stamps_went_back") == 1
    np.testing.assert_allclose(matrix_of(bench.odometry_of(0).pose.pose), np.eye(4), atol=1e-12)


def test_a_loop_gives_the_same_poses_each_time(graph):
    bench = PoseBench(graph)
    rounds = []
    for _ in range(3):
        bench.walk(*range(6))
        graph.wait_for(lambda: len(bench.odometry) == 6 * (len(rounds) + 1), "odometry of the round")
        last = [matrix_of(m.pose.pose) for m in bench.odometry if stamp_ns_of(m.header) == stamp_of(5)]
        rounds.append(last[-1])
    np.testing.assert_array_equal(rounds[0], rounds[1])
    np.testing.assert_array_equal(rounds[0], rounds[2])


def test_a_stamp_that_comes_twice_is_refused_and_tracking_goes_on(graph):
    bench = PoseBench(graph)
    bench.walk(0, 1)
    bench.send(1)
    assert bench.counts("bad_stamp") == 1
    assert bench.walk(2)[0]["state"] == "tracking"


def test_dropped_frames_and_gaps_of_seconds_keep_odom_continuous(graph):
    bench = PoseBench(graph)
    bench.walk(*range(6))
    answers = bench.walk(8, 10, 12)
    assert [answer["state"] for answer in answers] == ["tracking"] * 3
    # The image of a moment later, three seconds later.
    answers = [bench.walk(100 + i, index=13 + i)[0] for i in range(3)]
    assert answers[-1]["state"] in ("tracking", "relocalised")
    places = [matrix_of(bench.odometry_of(i).pose.pose)[:3, 3] for i in (12, 102)]
    assert np.linalg.norm(places[1] - places[0]) < 0.005


@pytest.mark.parametrize("rate", [0.1, 10.0])
def test_in_simulated_time_only_stamps_count(graph, rate):
    clock = graph.publisher(Clock, "/clock")
    bench = PoseBench(graph, use_sim_time=True)
    for index in range(5):
        tick = Clock()
        tick.clock.sec, tick.clock.nanosec = divmod(round(stamp_of(0) + index * PERIOD_NS * rate), 10**9)
        clock.publish(tick)
        bench.walk(index)
    assert stamp_ns_of(bench.odometry_of(4).header) == stamp_of(4)
    true = invert_transform(wander(0)) @ wander(4)
    np.testing.assert_allclose(matrix_of(bench.odometry_of(4).pose.pose)[:3, 3], true[:3, 3], atol=4e-4)
    # The clock stands still now; diagnostics and services go on.
    before = len(bench.diagnostics)
    graph.wait_for(lambda: len(bench.diagnostics) > before, "diagnostics without a clock")
    assert bench.call("reset").success


def test_a_slow_tracker_drops_old_frames_and_counts_them(graph, monkeypatch):
    bench = PoseBench(graph, synchronous=False, processing="newest")
    begun, go_on = threading.Event(), threading.Event()
    track = bench.node._pipeline.track

    def slow(answer, frame_id):
        begun.set()
        assert go_on.wait(20)
        return track(answer, frame_id)

    monkeypatch.setattr(bench.node._pipeline, "track", slow)
    bench.send(0)
    graph.wait_for(begun.is_set, "the tracker to begin")
    for index in range(1, 5):
        bench.send(index)
        graph.wait_for(lambda index=index: bench.node._received == 1 + index, "the frame")
    go_on.set()
    assert bench.values(stamp_of(4))["dropped_frames"] == "3"
    assert [stamp_ns_of(m.header) for m in bench.status] == [stamp_of(0), stamp_of(4)]


# Input


def test_another_camera_begins_a_new_segment(graph):
    bench = PoseBench(graph)
    bench.walk(*range(4))
    other = replace(CAMERA, K=CAMERA.K @ np.diag([1.1, 1.1, 1.0]))
    (answer, after) = [
        bench.walk(i, info=rectified_camera_info_message(head_of(i), other))[0]["segment"] for i in (4, 5)
    ]
    assert (answer, after) == ("1", "1")


def test_another_epoch_of_the_scale_begins_a_new_segment(graph):
    bench = PoseBench(graph)
    bench.walk(*range(4))
    (answer,) = bench.walk(4, status=FrameStatus(stamp_of(4), Verdict.OK, "", 1.0, replace(METRIC, epoch=3)))
    assert (answer["segment"], answer["scale_epoch"]) == ("1", "3")


def test_a_frame_without_depth_is_answered_and_begins_no_segment(graph):
    bench = PoseBench(graph)
    bench.walk(*range(4))
    nothing = FrameStatus(stamp_of(4), Verdict.INVALID_INPUT, "/image_raw: data is truncated")
    bench.publishers["depth/status"].publish(status_message(head_of(4), nothing, {"published": "false"}))
    answer = bench.values(stamp_of(4))
    assert (answer["state"], answer["verdict"]) == ("degraded", "invalid_input")
    assert "data is truncated" in answer["reason"]
    (answer,) = bench.walk(5)
    assert (answer["state"], answer["segment"]) == ("tracking", "0")


def test_depth_and_colour_of_different_sizes_are_refused_with_both(graph, capfd):
    bench = PoseBench(graph)
    small = image_message(head_of(0), look(0)[0][:64, :80], "rgb8")
    (answer,) = bench.walk(0, rgb=small)
    assert "rgb/image_rect is 80x64 but the depth 160x128" in answer["reason"]
    assert bench.counts("bad_frame") == 1
    assert "publish both of one size" in capfd.readouterr().err
    assert bench.walk(1)[0]["state"] == "initialising"


def test_depth_that_is_nan_everywhere_makes_no_pose(graph):
    bench = PoseBench(graph)
    nothing = np.full((128, 160), np.nan, np.float32)
    (answer,) = bench.walk(0, depth=image_message(head_of(0), nothing, "32FC1"))
    assert "only 0 points" in answer["reason"]
    assert [a["state"] for a in bench.walk(1, 2, 3)][-1] == "tracking"


@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        ({"info": CameraInfo(width=160, height=128)}, "bad_camera_info", "K is zero"),
        ({"depth": "rgb8"}, "bad_image", "encoding 'rgb8' is no depth"),
        ({"status": "empty"}, "bad_frame", "the status lacks 'verdict'"),
    ],
)
def test_what_makes_no_sense_is_said(graph, changes, kind, words):
    bench = PoseBench(graph)
    messages = frame_messages(stamp_of(0))
    if "info" in changes:
        changes["info"].header = head_of(0)
        messages["depth/camera_info"] = changes["info"]
    elif "depth" in changes:
        messages["depth/image_rect"] = image_message(head_of(0), look(0)[0], "rgb8")
    else:
        messages["depth/status"].status = []
    for topic, message in messages.items():
        bench.publishers[topic].publish(message)
    assert words in bench.values(stamp_of(0))["reason"]
    assert bench.counts(kind) == 1


def test_a_topic_that_is_missing_is_named(graph, capfd):
    bench = PoseBench(graph, stale_after_s=0.1)
    sent = []

    def complained():
        bench.send(len(sent), info=None, index=0)
        sent.append(0)
        return any(p.key == "incomplete_frames" for m in bench.diagnostics for s in m.status for p in s.values)

    graph.wait_for(complained, "a complaint")
    assert "nothing comes on /depth/camera_info" in capfd.readouterr().err


def test_without_sigma_the_others_are_enough(graph):
    bench = PoseBench(graph, use_sigma=False)
    answers = bench.walk(*range(4), sigma=None)
    assert answers[-1]["state"] == "tracking"


# Services


def test_reset_makes_the_next_frame_the_origin(graph):
    bench = PoseBench(graph)
    bench.walk(*range(5))
    assert bench.call("reset").success
    (answer,) = bench.walk(5)
    assert (answer["state"], answer["segment"]) == ("initialising", "0")
    np.testing.assert_allclose(matrix_of(bench.odometry_of(5).pose.pose), np.eye(4), atol=1e-12)


def test_relocalise_looks_for_the_place_among_known_ones(graph):
    bench = PoseBench(graph)
    bench.walk(*range(8))
    assert bench.call("relocalise").success
    answers = bench.walk(*range(8, 12))
    assert "relocalised" in [answer["state"] for answer in answers]
    assert answers[-1]["state"] == "tracking"


def test_the_trajectory_is_saved_from_camera_to_map_with_the_stamps_of_the_images(graph, tmp_path):
    path = tmp_path / "run.tum"
    bench = PoseBench(graph, trajectory_file=str(path))
    assert "no frame has been tracked" in bench.call("save_trajectory").message
    bench.walk(*range(6))
    answer = bench.call("save_trajectory")
    assert (answer.success, answer.message) == (True, f"{path}: 5 poses, camera to map")
    trajectory = read_tum(path)
    assert trajectory.stamps_ns.tolist() == [stamp_of(i) for i in range(1, 6)]
    true = invert_transform(wander(0)) @ wander(5)
    np.testing.assert_allclose(trajectory.positions[-1], true[:3, 3], atol=4e-4)


def test_a_trajectory_that_can_not_be_written_is_told(graph, tmp_path):
    bench = PoseBench(graph)
    bench.walk(0, 1)
    bench.node.set_parameters([Parameter("trajectory_file", value=str(tmp_path / "no" / "run.tum"))])
    answer = bench.call("save_trajectory")
    assert not answer.success
    assert "its folder does not exist" in answer.message


def test_a_folder_is_no_trajectory_file_and_stays(graph, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "precious").touch()
    bench = PoseBench(graph)
    bench.walk(0, 1)
    for name in (str(tmp_path / "data"), "/"):
        bench.node.set_parameters([Parameter("trajectory_file", value=name)])
        answer = bench.call("save_trajectory")
        assert not answer.success
        assert "choose another trajectory_file" in answer.message
    assert (tmp_path / "data" / "precious").exists()


def test_a_frame_that_comes_a_little_late_is_left_out_and_said(graph):
    bench = PoseBench(graph)
    bench.walk(0, 2)
    bench.send(1)
    assert bench.counts("bad_stamp") == 1
    (answer,) = bench.walk(3)
    assert (answer["state"], answer["segment"]) == ("tracking", "0")


def test_poses_of_before_a_jump_back_are_saved_too(graph, tmp_path):
    path = tmp_path / "run.tum"
    bench = PoseBench(graph, trajectory_file=str(path))
    bench.walk(*range(10, 16))
    bench.walk(*range(4))
    answer = bench.call("save_trajectory")
    assert answer.message == (
        f"{path}: 3 poses, camera to map; {tmp_path}/run_earlier.tum: 5 poses from before tracking began anew"
    )
    assert read_tum(tmp_path / "run_earlier.tum").stamps_ns.tolist() == [stamp_of(i) for i in range(11, 16)]
