"""depth_node applies the measured scale from the next frame on, and says which epoch its depth is of."""

import numpy as np
import pytest
from depth_bench import MS, Bench, status_of
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.parameter import Parameter
from std_msgs.msg import Header

from endo_depth_ros.contracts import Scale, ScaleState
from endo_depth_ros.nodes.scale_messages import LATCHED, scale_message

pytestmark = pytest.mark.ros
MEASURED = Scale(ScaleState.METRIC, 2.0, 0.02, 1)


def apply(graph, bench, scale):
    publisher = graph.publisher(DiagnosticArray, "scale", LATCHED)
    publisher.publish(scale_message(Header(), scale, "measured"))
    graph.wait_for(lambda: bench.node._pipeline._known_scale.measured == scale, "the scale")


def answer(bench, stamp):
    bench.send(stamp)
    depth = np.frombuffer(bench.answer(stamp, "depth/image_rect").data, np.float32)
    sigma = np.frombuffer(bench.answer(stamp, "depth/sigma").data, np.float32)
    return depth, sigma, status_of(bench.answer(stamp))


def test_depth_and_sigma_are_multiplied_and_the_epoch_is_in_the_status(graph):
    bench = Bench(graph)
    depth, sigma, status = answer(bench, 1000 * MS)
    assert status["scale_epoch"] == "0"
    apply(graph, bench, MEASURED)
    scaled, scaled_sigma, status = answer(bench, 1033 * MS)
    seen = np.isfinite(depth) & np.isfinite(scaled)
    np.testing.assert_allclose(scaled[seen], 2 * depth[seen], rtol=1e-5)
    np.testing.assert_allclose(scaled_sigma[seen], 2 * sigma[seen], rtol=1e-5)
    assert (status["scale"], status["scale_sigma"], status["scale_epoch"]) == ("2.0", "0.02", "1")
    # Shading has no constant scale, so that not even a measured one makes it metric.
    assert status["scale_state"] == "nominal"


def test_a_scale_from_before_the_node_was_started_is_applied(graph):
    graph.publisher(DiagnosticArray, "scale", LATCHED).publish(scale_message(Header(), MEASURED, "measured"))
    bench = Bench(graph)
    graph.wait_for(lambda: bench.node._pipeline._known_scale.measured == MEASURED, "the latched scale")
    assert answer(bench, 1000 * MS)[2]["scale_epoch"] == "1"


def test_the_parameter_goes_before_what_was_measured_and_that_is_said(graph):
    bench = Bench(graph, metres_per_unit=3.0)
    apply(graph, bench, MEASURED)
    _, _, status = answer(bench, 1000 * MS)
    assert (status["scale"], status["scale_epoch"]) == ("3.0", "0")
    assert bench.counts("scale_not_used") == 1


def test_a_change_of_the_parameter_begins_an_epoch(graph):
    bench = Bench(graph)
    assert answer(bench, 1000 * MS)[2]["scale_epoch"] == "0"
    bench.node.set_parameters([Parameter("metres_per_unit", value=2.0)])
    assert answer(bench, 1033 * MS)[2]["scale_epoch"] == "1"


def test_an_impossible_scale_is_refused_and_counted(graph):
    bench = Bench(graph)
    publisher = graph.publisher(DiagnosticArray, "scale", LATCHED)
    publisher.publish(scale_message(Header(), Scale(ScaleState.METRIC, -1.0, 0.1, 1), "wrong"))
    assert bench.counts("bad_scale") == 1
    assert answer(bench, 1000 * MS)[2]["scale_epoch"] == "0"
