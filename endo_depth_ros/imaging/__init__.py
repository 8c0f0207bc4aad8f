"""Pixels before depth: decoding, field of view, highlights, exposure."""
