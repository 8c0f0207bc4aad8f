"""Cameras, rectification, point clouds and rigid transforms."""
