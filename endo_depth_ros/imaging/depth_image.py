"""Depth images of sensor_msgs/Image (REP-118) as arrays in metres."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.imaging.encodings import ImageError

MILLIMETRE = 1e-3
ENCODINGS = {"32FC1": "f4", "16UC1": "u2"}


def decode_depth_image(
    height: int, width: int, encoding: str, is_bigendian: bool, step: int, data: Any
) -> NDArray[np.float32]:
    """Depth, float32 [H, W] in metres; arguments are the fields of sensor_msgs/Image.

    32FC1 is metres and passes unchanged, NaN and infinities too; 16UC1 is millimetres with 0, which becomes NaN, for
    none. Raises ImageError for another encoding or data of another size.
    """
    if encoding not in ENCODINGS:
        raise ImageError(f"encoding '{encoding}' is no depth; publish 32FC1 in metres or 16UC1 in millimetres")
    dtype = np.dtype((">" if is_bigendian else "<") + ENCODINGS[encoding])
    size = memoryview(data).nbytes
    if height <= 0 or width <= 0 or step < width * dtype.itemsize or size != step * height:
        raise ImageError(
            f"{size} bytes in rows of {step} don't make {width}x{height} pixels of {encoding}; correct width, height, "
            "step or data"
        )
    rows = np.frombuffer(data, np.uint8).reshape(height, step)
    values = np.ascontiguousarray(rows[:, : width * dtype.itemsize]).view(dtype)
    if encoding == "32FC1":
        return values.astype(np.float32, copy=False)
    depth = values.astype(np.float32) * np.float32(MILLIMETRE)
    depth[values == 0] = np.nan
    return depth
