"""Offline training of the depth network on renderings: render, fit, evaluate, export."""
