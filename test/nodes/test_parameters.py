"""ROS parameters from settings."""

from dataclasses import dataclass

import pytest
from rcl_interfaces.msg import ParameterType
from rclpy.node import Node
from rclpy.parameter import Parameter

from endo_depth_ros.nodes.parameters import Parameters
from endo_depth_ros.settings import SettingsError, setting

pytestmark = pytest.mark.ros


@dataclass(frozen=True)
class Example:
    size: int = setting(4, "Size of things", unit="px", minimum=1, maximum=8)
    share: float = setting(0.5, "Share", minimum=0.0, live=True)
    mode: str = setting("a", "Mode", choices=("a", "b"), live=True)


def make_node(graph, **values):
    overrides = [Parameter(name, value=value) for name, value in values.items()]
    return graph.add(Node("example", parameter_overrides=overrides))


def test_descriptors_carry_meaning_unit_and_range(graph):
    node = make_node(graph)
    Parameters(node, Example)
    size, share, mode = (node.describe_parameter(name) for name in ("size", "share", "mode"))
    assert (size.description, size.type) == ("Size of things [px]", ParameterType.PARAMETER_INTEGER)
    assert (size.integer_range[0].from_value, size.integer_range[0].to_value) == (1, 8)
    assert (share.floating_point_range[0].from_value, share.floating_point_range[0].to_value) == (0.0, float("inf"))
    assert mode.additional_constraints == "One of: a, b."
    assert "configured" in size.additional_constraints


def test_overrides_are_read_and_defaults_fill_the_rest(graph):
    settings = Parameters(make_node(graph, size=7), Example).settings
    assert (settings.size, settings.share, settings.mode) == (7, 0.5, "a")


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"size": 9}, "size must be at least 1 and at most 8"),
        ({"share": 1}, "share must be of type float; write it with a decimal point"),
        ({"share": float("nan")}, "share"),
        ({"mode": "c"}, "mode is 'c' but must be one of: a, b"),
        ({"size": "x"}, "size must be of type int"),
    ],
)
def test_a_bad_override_is_refused_with_its_name(graph, values, complaint):
    with pytest.raises(SettingsError, match=complaint):
        Parameters(make_node(graph, **values), Example)


def test_live_settings_change_and_are_told(graph):
    node, told = make_node(graph), []
    parameters = Parameters(node, Example, told.append)
    assert node.set_parameters([Parameter("share", value=0.25)])[0].successful
    assert parameters.settings.share == 0.25
    assert [settings.share for settings in told] == [0.25]


def test_settings_in_use_are_refused_until_they_are_free(graph):
    in_use = [True]
    node = make_node(graph)
    parameters = Parameters(node, Example, fixed=lambda: in_use[0])
    (result,) = node.set_parameters([Parameter("size", value=5)])
    assert (result.successful, parameters.settings.size) == (False, 4)
    assert "size is in use" in result.reason
    assert node.set_parameters([Parameter("size", value=4)])[0].successful
    in_use[0] = False
    assert node.set_parameters([Parameter("size", value=5)])[0].successful
    assert parameters.settings.size == 5


def test_a_bad_value_at_run_time_changes_nothing(graph):
    node = make_node(graph)
    parameters = Parameters(node, Example)
    (result,) = node.set_parameters([Parameter("mode", value="c")])
    assert "one of: a, b" in result.reason
    assert parameters.settings.mode == node.get_parameter("mode").value == "a"


def test_parameters_of_others_pass(graph):
    node = make_node(graph)
    Parameters(node, Example)
    node.declare_parameter("other", 1)
    assert node.set_parameters([Parameter("other", value=2)])[0].successful
