"""A depth node on the graph of a test, what it publishes, and publishers to feed it."""

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.parameter import Parameter
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from tissue import image_of, info_of

from endo_depth_ros.nodes.depth_node import DepthNode
from endo_depth_ros.stamps import stamp_ns_of

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
    plain = {"model": "shading", "allow_relative": True, "device": "cpu", "crop_to_field_of_view": False}
    parameters = {**plain, "processing": "every", **parameters}
    return DepthNode(parameter_overrides=[Parameter(name, value=value) for name, value in parameters.items()])


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
            lambda: [m for m in self.received[topic] if stamp_ns_of(m.header) == stamp], f"{topic} of stamp {stamp}"
        )
        return found[0]

    def counts(self, key):
        """Wait until the diagnostics count this kind of event."""

        def counted():
            pairs = [pair for m in self.diagnostics for s in m.status for pair in s.values if pair.key == key]
            return pairs and int(pairs[-1].value)

        return self.graph.wait_for(counted, f"diagnostics to count {key}")
