"""ROS 2 nodes: parameters, topics, stamps and frames around the core."""
