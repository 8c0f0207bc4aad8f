"""pose_node over real DDS: a known motion comes out as it was, with the right frames, stamps and order."""

import numpy as np
import pytest
from pose_bench import PERIOD_NS, PoseBench, look, matrix_of, stamp_of, static_transform
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from sphere_world import CAMERA, wander
from tf2_msgs.msg import TFMessage

from endo_depth_ros.contracts import FrameStatus, Scale, ScaleState, Verdict
from endo_depth_ros.geometry.transforms import invert_transform, pose_matrix
from endo_depth_ros.nodes.frame_messages import depth_of
from endo_depth_ros.nodes.pose_node import PoseNode
from endo_depth_ros.nodes.runner import StartError
from endo_depth_ros.pose import pipeline
from endo_depth_ros.settings import SettingsError
from endo_depth_ros.stamps import stamp_ns_of

pytestmark = pytest.mark.ros


def true_pose(index):
    """T_0_index of the camera."""
    return invert_transform(wander(0)) @ wander(index)


def assert_close(T, expected, metres=4e-4):
    """Poses agree, in rotation within 0.01 rad."""
    np.testing.assert_allclose(T[:3, :3], expected[:3, :3], atol=0.01)
    np.testing.assert_allclose(T[:3, 3], expected[:3, 3], atol=metres)


def test_a_known_motion_is_published_with_the_stamps_and_frames_of_its_images(graph):
    bench = PoseBench(graph)
    answers = bench.walk(*range(12))
    assert [answer["state"] for answer in answers] == ["initialising"] + ["tracking"] * 11
    message = bench.odometry_of(11)
    assert (message.header.frame_id, message.child_frame_id) == ("scope_odom", "scope")
    assert_close(matrix_of(message.pose.pose), true_pose(11))
    graph.wait_for(lambda: ("scope_odom", "scope") in bench.edges(), "the transform")
    graph.wait_for(lambda: stamp_ns_of(bench.edges()["scope_odom", "scope"].header) == stamp_of(11), "its last stamp")
    edge = bench.edges()["scope_odom", "scope"]
    np.testing.assert_allclose(matrix_of(edge.transform), matrix_of(message.pose.pose), atol=1e-9)
    np.testing.assert_allclose(matrix_of(bench.edges()["map", "scope_odom"].transform), np.eye(4), atol=1e-12)


def test_velocity_is_that_of_the_body_in_its_own_axes(graph):
    bench = PoseBench(graph)
    bench.walk(*range(8))
    twist = bench.odometry_of(7).twist
    moved = invert_transform(true_pose(6)) @ true_pose(7)
    linear = np.array([twist.twist.linear.x, twist.twist.linear.y, twist.twist.linear.z])
    np.testing.assert_allclose(linear, moved[:3, 3] / (PERIOD_NS * 1e-9), atol=6e-3)
    assert 1e-9 < twist.covariance[0] < 1.0


def test_a_velocity_is_off_by_its_own_share_of_an_unsure_scale_however_far_away(graph):
    bench = PoseBench(graph)
    for index in range(0, 60, 4):
        scale = Scale(ScaleState.NOMINAL, 1.0, 0.5)
        bench.walk(index, status=FrameStatus(stamp_of(index), Verdict.OK, "", 1.0, scale, "disc", True, "truth"))
    message = bench.odometry_of(56)
    place, pose = message.pose.pose.position, np.array(message.pose.covariance).reshape(6, 6)
    spread = np.sqrt(np.trace(pose[:3, :3]))
    assert spread > 0.5 * np.linalg.norm([place.x, place.y, place.z])
    # Each of two poses with independent errors as large as that would make it 60 mm/s.
    twist = np.array(message.twist.covariance).reshape(6, 6)
    assert np.sqrt(np.trace(twist[:3, :3])) < 0.2 * np.sqrt(2) * spread / (4 * PERIOD_NS * 1e-9)


def test_the_covariance_is_position_first_in_the_axes_of_odom(graph):
    """Lever: the base hangs 1 m in front of the camera, so its uncertainty across is that of the rotation."""
    turn = [0.0, 0.0, np.sqrt(0.5), np.sqrt(0.5)]
    bench = PoseBench(graph, statics=[static_transform("scope", "tool", (0.0, 0.0, 1.0), turn)], base_frame="tool")
    bench.wait_static("tool")
    bench.walk(*range(6))
    message = bench.odometry_of(5)
    assert message.child_frame_id == "tool"
    covariance = np.array(message.pose.covariance).reshape(6, 6)
    np.testing.assert_allclose(covariance, covariance.T)
    assert np.linalg.eigvalsh(covariance).min() > 0
    # 1 m along z: x of the base moves by the turn about y, y by that about x, and z not at all.
    assert covariance[0, 0] == pytest.approx(covariance[4, 4], rel=0.2)
    assert covariance[1, 1] == pytest.approx(covariance[3, 3], rel=0.2)
    assert covariance[2, 2] < 0.1 * covariance[0, 0]
    T_camera_tool = pose_matrix([0, 0, 1.0], turn)
    assert_close(matrix_of(message.pose.pose), true_pose(5) @ T_camera_tool, metres=0.01)


def test_relative_poses_are_withheld_unless_they_are_asked_for(graph):
    def relative(index):
        return FrameStatus(stamp_of(index), Verdict.OK, "", 1.0, calibrated=True, model="shading")

    bench = PoseBench(graph)
    (answer,) = bench.walk(0, status=relative(0))
    assert (answer["published"], answer["withheld"]) == ("false", "relative_pose_withheld")
    assert bench.counts("relative_pose_withheld") == 1
    assert not bench.odometry
    assert not bench.edges()
    bench.node.set_parameters([Parameter("allow_relative", value=True)])
    (answer,) = bench.walk(1, status=relative(1))
    assert (answer["published"], answer["scale_state"]) == ("true", "relative")
    bench.odometry_of(1)


def test_a_frame_of_another_tree_gets_no_second_parent(graph):
    statics = [static_transform("arm", "tool"), static_transform("tool", "scope")]
    bench = PoseBench(graph, statics=statics, base_frame="tool")
    bench.wait_static("scope")
    (answer, *_) = bench.walk(0, 1)
    assert (answer["published"], answer["withheld"]) == ("true", "no_tree")
    assert bench.counts("no_tree")
    bench.odometry_of(1)
    assert not bench.edges()


def test_a_parent_that_comes_later_ends_the_transforms(graph):
    bench = PoseBench(graph)
    bench.walk(0)
    graph.wait_for(lambda: ("scope_odom", "scope") in bench.edges(), "the transform")
    bench.tf_publisher.publish(TFMessage(transforms=[static_transform("arm", "scope")]))
    graph.wait_for(lambda: bench.node._outputs.tree.other_parent("scope", "scope_odom"), "the other parent")
    (answer,) = bench.walk(1)
    assert answer["withheld"] == "no_tree"


def test_a_base_above_the_map_closes_no_loop(graph):
    bench = PoseBench(graph, statics=[static_transform("map", "scope")])
    bench.wait_static("scope")
    (answer, *_) = bench.walk(0, 1)
    assert answer["withheld"] == "no_tree"
    assert bench.counts("no_tree")
    assert not bench.edges()


def test_odom_below_the_base_closes_no_loop(graph):
    bench = PoseBench(graph, statics=[static_transform("scope", "belt"), static_transform("belt", "scope_odom")])
    bench.wait_static("scope_odom")
    (answer, *_) = bench.walk(0, 1)
    assert answer["withheld"] == "no_tree"
    assert not bench.edges()


def test_the_base_is_what_static_transforms_lead_up_to(graph):
    turn = [-0.5, 0.5, -0.5, 0.5]
    bench = PoseBench(graph, statics=[static_transform("endoscope_link", "scope", (0.0, 0.0, 0.01), turn)])
    bench.wait_static("scope")
    bench.walk(*range(4))
    message = bench.odometry_of(3)
    assert message.child_frame_id == "endoscope_link"
    T_link_camera = pose_matrix([0, 0, 0.01], turn)
    assert_close(matrix_of(message.pose.pose) @ T_link_camera, true_pose(3))


def test_inverted_transforms_hang_odom_under_the_camera_and_map_under_odom(graph):
    bench = PoseBench(graph, statics=[static_transform("arm", "scope")], invert_tf=True)
    bench.wait_static("scope")
    answers = bench.walk(*range(4))
    assert answers[-1]["withheld"] == ""
    graph.wait_for(lambda: bench.edges().get(("scope", "scope_odom")), "the transform")
    graph.wait_for(lambda: stamp_ns_of(bench.edges()["scope", "scope_odom"].header) == stamp_of(3), "its last stamp")
    assert_close(invert_transform(matrix_of(bench.edges()["scope", "scope_odom"].transform)), true_pose(3))
    assert ("scope_odom", "map") in bench.edges()


def test_without_publish_tf_there_is_odometry_and_no_transform(graph):
    bench = PoseBench(graph, publish_tf=False)
    bench.walk(0, 1)
    bench.odometry_of(1)
    assert not bench.edges()


def test_a_base_that_nobody_publishes_is_said_and_nothing_is_published(graph):
    bench = PoseBench(graph, base_frame="nowhere")
    (answer,) = bench.walk(0)
    assert (answer["published"], answer["withheld"], answer["state"]) == ("false", "no_base_frame", "initialising")
    assert bench.counts("no_base_frame") == 1


def test_names_of_frames_are_parameters(graph):
    bench = PoseBench(graph, odom_frame="here", map_frame="")
    bench.walk(0, frame_id="endoscope_optical_frame")
    graph.wait_for(bench.edges, "transforms")
    assert set(bench.edges()) == {("here", "endoscope_optical_frame")}


def test_odom_is_named_after_the_camera(graph):
    bench = PoseBench(graph)
    bench.walk(0, frame_id="endoscope_optical_frame")
    assert bench.odometry_of(0).header.frame_id == "endoscope_odom"


def test_the_path_is_bounded_and_in_the_map(graph):
    bench = PoseBench(graph, path_poses=3, path_rate_hz=1000.0)
    bench.walk(*range(6))
    path = graph.wait_for(lambda: [p for p in bench.paths if stamp_ns_of(p.header) == stamp_of(5)], "the path")[0]
    assert path.header.frame_id == "map"
    assert [stamp_ns_of(pose.header) for pose in path.poses] == [stamp_of(i) for i in (3, 4, 5)]
    assert_close(matrix_of(path.poses[-1].pose), true_pose(5))


def test_two_cameras_in_two_namespaces_do_not_meet(graph):
    left = PoseBench(graph, namespace="left", map_frame="left_map")
    right = PoseBench(graph, namespace="right", map_frame="right_map")
    for index in range(4):
        left.walk(index, frame_id="left_scope")
        right.walk(index, frame_id="right_scope", index=2 * index)
    expected = {(f"{s}_odom", s) for s in ("left_scope", "right_scope")}
    expected |= {("left_map", "left_scope_odom"), ("right_map", "right_scope_odom")}
    graph.wait_for(lambda: set(left.edges()) == expected, "the transforms of both")
    assert_close(matrix_of(left.odometry_of(3).pose.pose), true_pose(3))
    assert_close(matrix_of(right.odometry_of(3).pose.pose), true_pose(6))


def test_transforms_wait_until_others_have_been_heard(graph):
    bench = PoseBench(graph, tf_wait_s=60.0)
    (answer,) = bench.walk(0)
    assert (answer["published"], answer["withheld"]) == ("false", "listening")


def test_without_autostart_transitions_are_up_to_the_operator(graph):
    bench = PoseBench(graph, autostart=False, synchronous=False)
    node = bench.node
    for transition in (node.trigger_configure, node.trigger_activate):
        assert transition() == TransitionCallbackReturn.SUCCESS
    bench.wait_ready()
    bench.walk(4, 5)
    for transition in (node.trigger_deactivate, node.trigger_cleanup, node.trigger_configure, node.trigger_activate):
        assert transition() == TransitionCallbackReturn.SUCCESS
    bench.wait_ready()
    (answer,) = bench.walk(0)  # a new configuration knows nothing of the stamps before it
    assert answer["state"] == "initialising"


def test_frames_that_names_contradict_are_refused(graph):
    overrides = [Parameter("odom_frame", value="map")]
    with pytest.raises(SettingsError, match="must be different frames"):
        PoseNode(parameter_overrides=overrides)


def test_without_gtsam_the_node_ends_with_a_sentence(graph, monkeypatch):
    def refuse(settings, others):
        raise pipeline.PoseUnavailableError("camera poses need gtsam: pip install gtsam")

    monkeypatch.setattr(pipeline, "create_tracker", refuse)
    with pytest.raises(StartError, match="need gtsam"):
        PoseNode()


def test_refined_depth_comes_with_the_stamps_of_tracked_images_and_agrees_with_the_motion(graph):
    topics = {"image_rect": Image, "camera_info": CameraInfo, "sigma": Image, "points": PointCloud2}
    got = {name: graph.collect(kind, f"refined_depth/{name}", 200) for name, kind in topics.items()}
    bench = PoseBench(graph)
    graph.wait_for(
        lambda: all(bench.node.count_subscribers(f"refined_depth/{name}") for name in topics),
        "the listeners to be seen",
    )
    answers = bench.walk(*range(8))
    assert [answer["depth_refined"] for answer in answers] == ["false"] + ["true"] * 7
    assert [float(answer["depth_factor"]) for answer in answers[1:]] == pytest.approx([1.0] * 7, rel=0.03)
    for name, messages in got.items():
        graph.wait_for(lambda messages=messages: len(messages) == 7, f"refined_depth/{name}")
        assert [stamp_ns_of(m.header) for m in messages] == [stamp_of(index) for index in range(1, 8)]
        assert {m.header.frame_id for m in messages} == {"scope"}
    depth = depth_of(got["image_rect"][-1])
    _, true = look(7)
    assert not np.array_equal(depth, true)
    np.testing.assert_allclose(depth, true, rtol=0.05)
    sigma = depth_of(got["sigma"][-1])
    assert (sigma > 0).all()
    assert got["camera_info"][-1].k[0] == CAMERA.K[0, 0]
    assert got["points"][-1].width == true.size


def test_refined_depth_of_unknown_scale_is_withheld_as_the_pose_is(graph):
    got = graph.collect(Image, "refined_depth/image_rect", 200)
    bench = PoseBench(graph)
    graph.wait_for(lambda: bench.node.count_subscribers("refined_depth/image_rect"), "the listener to be seen")
    for index in range(4):
        relative = FrameStatus(stamp_of(index), Verdict.OK, "", 1.0, Scale(), "disc", True, "truth")
        (answer,) = bench.walk(index, status=relative)
        assert answer["withheld"] == "relative_pose_withheld"
    bench.node.set_parameters([Parameter("allow_relative", value=True)])
    relative = FrameStatus(stamp_of(4), Verdict.OK, "", 1.0, Scale(), "disc", True, "truth")
    bench.walk(4, status=relative)
    graph.wait_for(lambda: got, "the first that is let through")
    assert [stamp_ns_of(message.header) for message in got] == [stamp_of(4)]
