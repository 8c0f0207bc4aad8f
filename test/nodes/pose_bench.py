"""A pose node on the graph of a test, what it publishes, and a camera in a known world that feeds it."""

from functools import lru_cache

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import TransformStamped
from nav_msgs.msg import Odometry, Path
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import CameraInfo, Image
from sphere_world import CAMERA, SphereWorld, wander
from std_msgs.msg import Header
from std_srvs.srv import Trigger
from tf2_msgs.msg import TFMessage
from tissue import header

from endo_depth_ros.contracts import FrameStatus, Scale, ScaleState, Verdict
from endo_depth_ros.geometry.transforms import pose_matrix
from endo_depth_ros.nodes.messages import image_message, rectified_camera_info_message, status_message
from endo_depth_ros.nodes.pose_node import PoseNode
from endo_depth_ros.stamps import stamp_ns_of

pytest.importorskip("gtsam")

PERIOD_NS = 33_333_333
START_NS = 10**9
LATCHED = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
INPUTS = {
    "rgb/image_rect": Image,
    "depth/image_rect": Image,
    "depth/camera_info": CameraInfo,
    "depth/status": DiagnosticArray,
    "depth/sigma": Image,
}
METRIC = Scale(ScaleState.METRIC, 1.0, 0.01)


@lru_cache(maxsize=64)
def look(index: int):
    return SphereWorld().look(wander(index))


def stamp_of(index: int) -> int:
    return START_NS + index * PERIOD_NS


def values_of(message) -> dict[str, str]:
    return {pair.key: pair.value for pair in message.status[0].values}


def matrix_of(pose) -> np.ndarray:
    """A Pose or a Transform as a matrix."""
    move = pose.position if hasattr(pose, "position") else pose.translation
    turn = pose.orientation if hasattr(pose, "orientation") else pose.rotation
    return pose_matrix([move.x, move.y, move.z], [turn.x, turn.y, turn.z, turn.w])


def static_transform(parent: str, child: str, move=(0.0, 0.0, 0.0), turn=(0.0, 0.0, 0.0, 1.0)) -> TransformStamped:
    message = TransformStamped(header=Header(frame_id=parent), child_frame_id=child)
    message.header.stamp.sec = 1
    t, q = message.transform.translation, message.transform.rotation
    (t.x, t.y, t.z), (q.x, q.y, q.z, q.w) = move, turn
    return message


def frame_messages(stamp_ns, frame_id="scope", index=None, status=None, **changes):
    """The messages of depth_node about one frame by topic; changes replace them, None leaves one out."""
    image, depth = look(round((stamp_ns - START_NS) / PERIOD_NS) if index is None else index)
    head = header(Image(), stamp_ns, frame_id).header
    status = status or FrameStatus(stamp_ns, Verdict.OK, "", 1.0, METRIC, "disc", True, "truth")
    messages = {
        "rgb": image_message(head, image, "rgb8"),
        "depth": image_message(head, depth, "32FC1"),
        "info": rectified_camera_info_message(head, CAMERA),
        "sigma": image_message(head, 0.01 * depth, "32FC1"),
        "status": status_message(head, status, {"published": "true"}),
        **changes,
    }
    names = {"rgb": "rgb/image_rect", "depth": "depth/image_rect", "info": "depth/camera_info"}
    topics = {**names, "sigma": "depth/sigma", "status": "depth/status"}
    return {topics[key]: message for key, message in messages.items() if message is not None}


class PoseBench:
    """A pose node, what it publishes, and publishers to feed it."""

    def __init__(self, graph, namespace="", statics=(), **parameters):
        self.graph, self.namespace = graph, namespace
        prefix = f"{namespace}/" if namespace else ""
        self.statics = graph.publisher(TFMessage, "/tf_static", LATCHED)
        self.tf_publisher = graph.publisher(TFMessage, "/tf")
        if statics:
            self.statics.publish(TFMessage(transforms=list(statics)))
        self.odometry = graph.collect(Odometry, f"{prefix}odometry", 200)
        self.paths = graph.collect(Path, f"{prefix}path", 200)
        self.status = graph.collect(DiagnosticArray, f"{prefix}pose/status", 200)
        self.tf = graph.collect(TFMessage, "/tf", 500)
        self.diagnostics = graph.collect(DiagnosticArray, "/diagnostics")
        self.publishers = {topic: graph.publisher(kind, prefix + topic, 100) for topic, kind in INPUTS.items()}
        plain = {"processing": "every", "synchronous": True, "tf_wait_s": 0.0, **parameters}
        overrides = [Parameter(name, value=value) for name, value in plain.items()]
        options = {"namespace": namespace} if namespace else {}
        self.node = graph.add(PoseNode(parameter_overrides=overrides, **options))
        if self.node._topics is not None:
            self.wait_ready()

    def wait_ready(self):
        wanted = [p for t, p in self.publishers.items() if t != "depth/sigma" or self.node.settings.use_sigma]
        self.graph.wait_matched(*wanted)
        node = self.node
        self.graph.wait_for(
            lambda: (
                all(node.count_subscribers(topic) for topic in ("odometry", "path", "pose/status"))
                and node.count_publishers("depth/status")
            ),
            "the node to see its subscribers",
        )

    def wait_static(self, child):
        """Wait until the node knows a parent of this frame."""
        self.graph.wait_for(lambda: self.node._outputs.tree.other_parent(child, ""), f"a parent of {child}")

    def send(self, *indices, **changes):
        for index in indices:
            for topic, message in frame_messages(stamp_of(index), **changes).items():
                self.publishers[topic].publish(message)

    def walk(self, *indices, **changes):
        """Send frames and wait for the status of each."""
        return [self._walk_one(index, changes) for index in indices]

    def _walk_one(self, index, changes):
        self.send(index, **changes)
        return self.values(stamp_of(index))

    def values(self, stamp):
        found = self.graph.wait_for(
            lambda: [m for m in self.status if stamp_ns_of(m.header) == stamp], f"pose/status of stamp {stamp}"
        )
        return values_of(found[-1])

    def odometry_of(self, index):
        stamp = stamp_of(index)
        return self.graph.wait_for(
            lambda: [m for m in self.odometry if stamp_ns_of(m.header) == stamp], f"odometry of {stamp}"
        )[-1]

    def edges(self):
        """Parent and child of all transforms on /tf that this node sent, with the last of each."""
        return {(t.header.frame_id, t.child_frame_id): t for m in self.tf for t in m.transforms}

    def call(self, service):
        client = self.graph.node.create_client(Trigger, f"{self.node.get_fully_qualified_name()}/{service}")
        assert client.wait_for_service(20.0)
        future = client.call_async(Trigger.Request())
        self.graph.wait_for(future.done, f"an answer of {service}")
        return future.result()

    def counts(self, key):
        """Wait until the diagnostics count this kind of event."""

        def counted():
            pairs = [pair for m in self.diagnostics for s in m.status for pair in s.values if pair.key == key]
            return pairs and int(pairs[-1].value)

        return self.graph.wait_for(counted, f"diagnostics to count {key}")
