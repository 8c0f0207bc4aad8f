"""ROS time stamps as integer nanoseconds."""

from __future__ import annotations

from typing import Any

NANOSECONDS = 10**9
# A ROS stamp of zero means 'no time' to tf2 and to sim time, so recordings of our own start later.
FIRST_STAMP_NS = NANOSECONDS


def stamp_ns_of(header: Any) -> int:
    """Nanoseconds of a std_msgs/Header's stamp, of rclpy or of the rosbags type store."""
    return int(header.stamp.sec) * NANOSECONDS + int(header.stamp.nanosec)
