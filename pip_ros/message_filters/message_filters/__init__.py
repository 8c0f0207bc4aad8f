"""The part of message_filters that endo_depth_ros uses, for machines without ROS."""

from message_filters.filters import SimpleFilter, Subscriber
from message_filters.synchronizers import ApproximateTimeSynchronizer, TimeSynchronizer

__all__ = ["ApproximateTimeSynchronizer", "SimpleFilter", "Subscriber", "TimeSynchronizer"]
