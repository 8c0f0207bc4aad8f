"""Depth on real publishers with listeners."""

import os

import pytest
import rclpy
from wall import Wall

from endo_depth_ros.benchmark.publishing import CLOUD_TOPIC, TOPICS, publish, publishing, wait_for_listeners
from endo_depth_ros.benchmark.workload import BenchmarkError
from endo_depth_ros.contracts import DepthEstimate, FrameStatus, Verdict
from endo_depth_ros.geometry.pointcloud import PointCloudBuilder
from endo_depth_ros.nodes.fastdds_profile import PROFILE_VARIABLES
from endo_depth_ros.nodes.quiet_domain import DOMAINS
from endo_depth_ros.stamps import stamp_ns_of

pytestmark = pytest.mark.ros

STAMP_NS = 3_000_000_007


class Notebook:
    """A publisher that nobody hears."""

    def __init__(self):
        self.messages = []

    def publish(self, message):
        self.messages.append(message)

    def get_subscription_count(self):
        return 0


@pytest.fixture(autouse=True)
def _environment(monkeypatch):
    """What a measuring process changes in its own environment is put back."""
    for name in ("ROS_DOMAIN_ID", "ROS_AUTOMATIC_DISCOVERY_RANGE", *PROFILE_VARIABLES):
        monkeypatch.setenv(name, os.environ.get(name, ""))


def wall_estimate():
    frame, depth = Wall().frame(STAMP_NS)
    return DepthEstimate(frame, depth, 0.1 * depth, FrameStatus(STAMP_NS, Verdict.OK))


def cloud_of(estimate):
    return PointCloudBuilder(estimate.frame.camera).dense_points(estimate.depth, estimate.frame.image)


@pytest.mark.parametrize("with_cloud", [False, True])
def test_every_topic_has_one_message_with_the_stamp_of_the_frame(with_cloud):
    estimate = wall_estimate()
    notebooks = {topic: Notebook() for topic in (*TOPICS, CLOUD_TOPIC)}
    publish(notebooks, estimate, cloud_of(estimate) if with_cloud else None)
    for topic, notebook in notebooks.items():
        expected = [STAMP_NS] if with_cloud or topic != CLOUD_TOPIC else []
        assert [stamp_ns_of(message.header) for message in notebook.messages] == expected


def test_what_is_published_has_listeners_in_a_domain_of_its_own():
    estimate = wall_estimate()
    with publishing(with_cloud=True) as publish_frame:
        assert int(os.environ["ROS_DOMAIN_ID"]) in DOMAINS
        publish_frame(estimate, cloud_of(estimate))
        assert rclpy.ok()
    assert not rclpy.ok()


def test_a_graph_that_does_not_work_is_told(graph, monkeypatch):
    monkeypatch.setattr("endo_depth_ros.benchmark.publishing.MATCH_DEADLINE_S", 0.0)
    with pytest.raises(BenchmarkError, match="endo-depth doctor"):
        wait_for_listeners(graph.node, {"depth/image_rect": Notebook()})
