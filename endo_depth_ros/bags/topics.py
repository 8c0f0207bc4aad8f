"""Names of the topics in the bags that this project makes."""

from __future__ import annotations

IMAGE, CAMERA_INFO, TF = "/image_raw", "/camera_info", "/tf"
TRUTH_DEPTH, TRUTH_CAMERA_INFO = "/truth/depth", "/truth/camera_info"
# What image_transport adds to the name of compressed images.
COMPRESSED_SUFFIX = "/compressed"
