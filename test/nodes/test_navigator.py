"""depth_node and pose_node in one process: frames pass in memory, and everything else is as in two."""

import pytest
from depth_bench import MS, status_of
from diagnostic_msgs.msg import DiagnosticArray
from nav_msgs.msg import Odometry
from rclpy.parameter import Parameter
from sensor_msgs.msg import CameraInfo, Image
from tissue import image_of, info_of

from endo_depth_ros.nodes.navigator import make_nodes
from endo_depth_ros.nodes.runner import StartError
from endo_depth_ros.stamps import stamp_ns_of

pytest.importorskip("gtsam")
pytestmark = pytest.mark.ros
PARAMETERS = {
    "model": "shading",
    "device": "cpu",
    "allow_relative": True,
    "crop_to_field_of_view": False,
    "processing": "every",
    "tf_wait_s": 0.0,
}


def overrides(**parameters):
    return [Parameter(name, value=value) for name, value in {**PARAMETERS, **parameters}.items()]


class NavigatorBench:
    """Both nodes, a camera, and what pose_node says."""

    def __init__(self, graph, **parameters):
        self.graph = graph
        self.images = graph.publisher(Image, "image_raw", 50)
        self.infos = graph.publisher(CameraInfo, "camera_info", 50)
        self.poses = graph.collect(DiagnosticArray, "pose/status")
        self.odometry = graph.collect(Odometry, "odometry")
        self.depth_node, self.pose_node = (
            graph.add(node) for node in make_nodes(parameter_overrides=overrides(**parameters))
        )
        graph.wait_matched(self.images, self.infos)
        graph.wait_for(lambda: self.pose_node.count_subscribers("odometry"), "the node to see its subscribers")

    def answer(self, stamp, image=None):
        self.infos.publish(info_of(stamp))
        self.images.publish(image or image_of(stamp))
        return status_of(
            self.graph.wait_for(lambda: [m for m in self.poses if stamp_ns_of(m.header) == stamp], "a pose")[0]
        )


def test_every_image_is_answered_with_a_pose_although_nobody_subscribes_to_depth(graph):
    bench = NavigatorBench(graph)
    answers = [bench.answer((1000 + 33 * i) * MS) for i in range(3)]
    assert {answer["verdict"] for answer in answers} == {"ok"}
    assert all(float(answer["latency_ms"]) > 0 for answer in answers)
    # No topic carries the frames: pose_node subscribes to none of them.
    for topic in ("depth/image_rect", "rgb/image_rect", "depth/status"):
        assert bench.depth_node.count_subscribers(topic) == 0


def test_an_image_that_gets_no_depth_is_answered_too(graph):
    bench = NavigatorBench(graph)
    bench.answer(1000 * MS)
    broken = image_of(1033 * MS)
    broken.data = broken.data[:100]
    answer = bench.answer(1033 * MS, broken)
    assert answer["verdict"] == "invalid_input"
    assert "data is truncated" in answer["reason"]


def test_relative_depth_that_is_withheld_makes_no_pose(graph):
    bench = NavigatorBench(graph, allow_relative=False)
    answer = bench.answer(1000 * MS)
    assert (answer["published"], answer["state"]) == ("false", "degraded")
    assert not bench.odometry


def test_a_model_that_does_not_exist_ends_both(graph):
    with pytest.raises(StartError, match="no model 'dream'"):
        make_nodes(parameter_overrides=overrides(model="dream"))
