"""How long a frame takes on this machine, and what for: the measurements of endo-depth benchmark."""
