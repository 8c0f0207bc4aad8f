"""Cameras, rectification, point clouds, rigid transforms and trajectories."""
