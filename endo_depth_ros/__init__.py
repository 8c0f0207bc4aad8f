"""Depth, camera pose and point clouds from one endoscope camera, on ROS 2 and offline."""

__version__ = "0.1.0"
