"""ROS parameters generated from a settings dataclass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node
from rclpy.parameter import Parameter

from endo_depth_ros.settings import Entry, SettingsError, changed, entries, make

S = TypeVar("S")
INT64_MAX = 2**63 - 1


def describe(entry: Entry) -> ParameterDescriptor:
    """The descriptor of one setting: description with unit and choices, and its range."""
    rule = entry.rule
    text = f"{rule.description} [{rule.unit}]" if rule.unit else rule.description
    choices = f"One of: {', '.join(rule.choices)}." if rule.choices else ""
    when = "" if rule.live else "Takes effect when the node is configured."
    descriptor = ParameterDescriptor(description=text, additional_constraints=" ".join(filter(None, (choices, when))))
    low, high = rule.minimum, rule.maximum
    if (low is None and high is None) or entry.type not in (int, float):
        return descriptor
    if entry.type is int:
        first, last = (-INT64_MAX if low is None else int(low)), (INT64_MAX if high is None else int(high))
        descriptor.integer_range = [IntegerRange(from_value=first, to_value=last, step=0)]
    else:
        bounds = (float("-inf") if low is None else float(low)), (float("inf") if high is None else float(high))
        descriptor.floating_point_range = [FloatingPointRange(from_value=bounds[0], to_value=bounds[1], step=0.0)]
    return descriptor


class Parameters(Generic[S]):
    """A node's settings: declared, validated and kept up to date."""

    def __init__(
        self,
        node: Node,
        cls: type[S],
        on_change: Callable[[S], None] = lambda settings: None,
        fixed: Callable[[], bool] = lambda: True,
    ) -> None:
        """Declare every setting of cls on the node and read its value.

        on_change receives the new settings after live ones changed. fixed tells whether the others are in use and so
        may not change now. Raises SettingsError, with the parameter's name and the reason, for a bad value.
        """
        self._entries = {entry.name: entry for entry in entries(cls)}
        self._on_change = on_change
        self._fixed = fixed
        self.settings: S = make(cls, {entry.name: _declare(node, entry) for entry in self._entries.values()})
        node.add_on_set_parameters_callback(self._set)

    def _set(self, parameters: list[Parameter]) -> SetParametersResult:
        values = {p.name: p.value for p in parameters if p.name in self._entries}
        if not values:
            return SetParametersResult(successful=True)
        late = [
            name
            for name, value in values.items()
            if not self._entries[name].rule.live and value != getattr(self.settings, name)
        ]
        if late and self._fixed():
            reason = f"{late[0]} is in use; clean the node up (or restart it) to change it"
            return SetParametersResult(successful=False, reason=reason)
        try:
            self.settings = changed(self.settings, values)
        except SettingsError as error:
            return SetParametersResult(successful=False, reason=str(error))
        self._on_change(self.settings)
        return SetParametersResult(successful=True)


def _declare(node: Node, entry: Entry) -> object:
    try:
        return node.declare_parameter(entry.name, entry.default, describe(entry)).value
    except InvalidParameterTypeException as error:
        hint = "; write it with a decimal point" if entry.type is float else ""
        raise SettingsError(f"parameter {entry.name} must be of type {entry.type.__name__}{hint} ({error})") from error
    except InvalidParameterValueException as error:
        ends = (("at least", entry.rule.minimum), ("at most", entry.rule.maximum))
        limits = " and ".join(f"{word} {end}" for word, end in ends if end is not None)
        raise SettingsError(f"parameter {entry.name} must be {limits} ({error})") from error
