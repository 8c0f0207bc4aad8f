"""Published data sets as sequences of frames with true depth and pose, read from the layout they are distributed in."""
