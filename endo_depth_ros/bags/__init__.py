"""Videos, image folders and rosbag2 files in and out, without a ROS graph."""
