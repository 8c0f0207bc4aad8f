"""Videos, image folders, rosbag2 and trajectory files in and out, without a ROS graph."""
