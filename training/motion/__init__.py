"""Training of the motion network."""
