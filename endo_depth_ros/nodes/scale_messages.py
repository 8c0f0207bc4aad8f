"""The latched topic `scale`: metres per unit of the depth model, from the node that knows to those that apply it."""

from __future__ import annotations

import math

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from std_msgs.msg import Header

from endo_depth_ros.contracts import Scale, ScaleState
from endo_depth_ros.nodes.frame_messages import status_values
from endo_depth_ros.nodes.messages import diagnostic, diagnostics_message

TOPIC = "scale"
SCHEMA_VERSION = 1
LATCHED = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL)


class ScaleMessageError(ValueError):
    """A message on `scale` can't be used; the text says why."""


def scale_message(header: Header, scale: Scale, reason: str) -> DiagnosticArray:
    """The scale, with what it rests on; the keys are documented in docs/nodes/pose_node.md."""
    values: dict[str, object] = {
        "schema_version": SCHEMA_VERSION,
        "state": scale.state.value,
        "value": repr(scale.value),
        "sigma": repr(scale.sigma),
        "epoch": scale.epoch,
    }
    return diagnostics_message(header, [diagnostic("scale", DiagnosticStatus.OK, reason, values, header.frame_id)])


REMEDY = "run pose_node and depth_node of one version, or remap what else publishes on this topic"


def scale_of(message: DiagnosticArray) -> Scale:
    """The scale of a message. Raises ScaleMessageError."""
    values = status_values(message)
    try:
        scale = Scale(ScaleState(values["state"]), float(values["value"]), float(values["sigma"]), int(values["epoch"]))
    except KeyError as error:
        raise ScaleMessageError(f"the key {error} is missing; {REMEDY}") from error
    except ValueError as error:
        raise ScaleMessageError(f"a value can't be read ({error}); {REMEDY}") from error
    if not (math.isfinite(scale.value) and scale.value > 0):
        raise ScaleMessageError(f"a scale of {scale.value} is impossible; publish metres per unit of the model")
    return scale
