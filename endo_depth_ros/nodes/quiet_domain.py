"""A ROS domain of this machine alone, for nodes that no robot should hear."""

from __future__ import annotations

import os
import random

import rclpy
from rclpy.signals import SignalHandlerOptions

from endo_depth_ros.nodes.fastdds_profile import environment_with_profile

# Away from domain 0, where a robot may be listening; 101 is the last that is safe on Linux.
DOMAINS = range(60, 100)


def join_quiet_domain() -> None:
    """Start rclpy in a domain that this process and its children share, with the package's Fast DDS profile."""
    os.environ.update(environment_with_profile(os.environ))
    os.environ["ROS_DOMAIN_ID"] = str(free_domain())
    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    # Python's own handlers end the program; those of rclpy would only take the graph away from under it.
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)


def free_domain() -> int:
    """A domain that is probably nobody else's."""
    return random.SystemRandom().choice(DOMAINS)
