"""pose_node finds metres from a robot's transforms, says them on `scale`, and takes the depth that obeys."""

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from pose_bench import LATCHED, METRIC, PERIOD_NS, START_NS, PoseBench, look, stamp_of
from rclpy.parameter import Parameter
from sphere_world import wander
from tf2_msgs.msg import TFMessage
from tissue import header

from endo_depth_ros.contracts import FrameStatus, Scale, ScaleState, Verdict
from endo_depth_ros.geometry.transforms import invert_transform, pose_matrix
from endo_depth_ros.nodes.messages import image_message
from endo_depth_ros.nodes.pose_messages import transform_message
from endo_depth_ros.nodes.pose_node import PoseNode
from endo_depth_ros.nodes.scale_messages import scale_of
from endo_depth_ros.settings import SettingsError

pytestmark = pytest.mark.ros
T_TOOL_CAMERA = pose_matrix([0.01, 0.0, 0.05], [0.0, 0.1, 0.0, 1.0])
T_BASE_WORLD = pose_matrix([0.3, -0.2, 0.5], [0.1, 0.2, 0.3, 0.9])
NOMINAL = Scale(ScaleState.NOMINAL)
# Loose enough to be content after a second of motion.
QUICK = {"min_travel": 0.008, "max_scale_sigma": 0.2}
ROBOT = {"kinematics_base_frame": "base", "kinematics_tool_frame": "tool", "hand_eye": "0.01 0.0 0.05 0.0 0.1 0.0 1.0"}


class Robot:
    """Two joints that move the camera of the known world, at 50 Hz: base → arm (fixed) → tool."""

    def __init__(self, bench):
        self._bench, self._sent = bench, 0

    def move_until(self, stamp_ns):
        while (now_ns := START_NS + self._sent * 20_000_000) < stamp_ns:
            T_base_tool = T_BASE_WORLD @ wander((now_ns - START_NS) / PERIOD_NS) @ invert_transform(T_TOOL_CAMERA)
            head = header(DiagnosticArray(), now_ns).header
            move = transform_message(head, "base", "tool", T_base_tool)
            self._bench.tf_publisher.publish(TFMessage(transforms=[move]))
            self._sent += 1


def half_depth(index, scale, factor=0.5):
    """The messages of a depth model whose unit is two metres, with what scale it was multiplied by."""
    depth = np.float32(factor) * look(index)[1]
    head = header(DiagnosticArray(), stamp_of(index), "scope").header
    status = FrameStatus(stamp_of(index), Verdict.OK, "", 1.0, scale, "disc", True, "truth")
    return {
        "depth": image_message(head, depth, "32FC1"),
        "sigma": image_message(head, np.float32(0.01) * depth, "32FC1"),
        "status": status,
    }


def test_a_robot_gives_metres_and_their_epoch_begins_a_segment(graph):
    bench = PoseBench(graph, **ROBOT, **QUICK)
    scales = graph.collect(DiagnosticArray, "scale", LATCHED)
    graph.wait_matched(bench.tf_publisher)
    robot, index = Robot(bench), 0
    while not scales and index < 90:
        robot.move_until(stamp_of(index) + 200_000_000)
        known = (stamp_of(index) - START_NS) // 20_000_000
        graph.wait_for(lambda known=known: bench.node._kinematics.samples > known, "the robot's samples")
        bench.walk(index, **half_depth(index, NOMINAL))
        index += 1
    found = scale_of(scales[-1])
    assert found.value == pytest.approx(2.0, rel=0.15)
    assert (found.state, found.epoch) == (ScaleState.METRIC, 1)
    assert 0 < found.sigma < 0.5
    # What was decided is sent once, and depth that obeys is metric, of the new epoch, in a new segment.
    (answer,) = bench.walk(index, **half_depth(index, found, 0.5 * found.value))
    assert (answer["scale_state"], answer["scale_epoch"], answer["segment"]) == ("metric", "1", "1")
    assert "measured by kinematics" in answer["scale_reason"]
    assert len(scales) == 1


def test_without_a_robot_nothing_is_said_about_the_scale(graph):
    bench = PoseBench(graph)
    scales = graph.collect(DiagnosticArray, "scale", LATCHED)
    (answer,) = bench.walk(0)
    assert (answer["scale_state"], answer["scale_reason"]) == (METRIC.state.value, "")
    assert not scales


def test_a_robot_that_is_silent_is_said_with_the_frames(graph, capfd):
    bench = PoseBench(graph, **ROBOT, stale_after_s=0.1)
    bench.walk(0)
    assert bench.counts("no_kinematics")
    assert "no new transform from tool to base" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"kinematics_base_frame": "base"}, "belong together"),
        ({**ROBOT, "kinematics_tool_frame": "base"}, "are the same"),
        ({**ROBOT, "hand_eye": "nan 0 0 0 0 0 1"}, "finite"),
        ({**ROBOT, "hand_eye": "0 0 0"}, "hand_eye is '0 0 0' but must be"),
        ({**ROBOT, "hand_eye": "0 0 0 0 0 0 0"}, "the quaternion not zero"),
    ],
)
def test_kinematics_that_can_not_be_meant_are_refused(graph, parameters, words):
    overrides = [Parameter(name, value=value) for name, value in parameters.items()]
    with pytest.raises(SettingsError, match=words):
        PoseNode(parameter_overrides=overrides)


def test_one_transform_from_the_future_stops_the_robot_for_moments_only(graph):
    bench = PoseBench(graph, **ROBOT, **QUICK)
    robot = Robot(bench)
    bench.walk(0)
    robot.move_until(stamp_of(3))
    graph.wait_for(lambda: bench.node._kinematics.samples, "the robot")
    head = header(DiagnosticArray(), START_NS + 3600 * 10**9).header
    bench.tf_publisher.publish(TFMessage(transforms=[transform_message(head, "base", "tool", np.eye(4))]))
    robot.move_until(stamp_of(12))
    graph.wait_for(lambda: bench.counts("tf_went_back"), "the complaint")
    before = bench.node._kinematics.samples
    robot.move_until(stamp_of(24))
    graph.wait_for(lambda: bench.node._kinematics.samples > before + 3, "more of the robot")
