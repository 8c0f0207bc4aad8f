"""Rendered endoscopic sequences with known depth and poses."""
