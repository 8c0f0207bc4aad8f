"""The frames of a source that have an image, and how fast they come."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from endo_depth_ros.bags.source import DEFAULT_FPS, FrameSource, SourceError, SourceFrame


def readable_frames(
    source: FrameSource, max_frames: int | None = None
) -> Iterator[tuple[SourceFrame, NDArray[np.uint8]]]:
    """The first max_frames frames that have an image, with a progress bar; the others are named and left out.

    Raises SourceError if none can be read.
    """
    count, skipped = 0, 0
    total = source.frame_count if max_frames is None else min(max_frames, source.frame_count or max_frames)
    for frame in tqdm(islice(source, max_frames), desc=Path(source.name).name, total=total, unit="frame", disable=None):
        if frame.image is not None:
            count += 1
            yield frame, frame.image
            continue
        skipped += 1
        if skipped <= 5:
            tqdm.write(f"warning: {frame.error}", file=sys.stderr)
    if skipped:
        print(f"warning: {skipped} frames could not be read and were left out", file=sys.stderr)
    if not count:
        raise SourceError(f"{source.name}: none of its frames can be read; check the file")


def mean_fps(stamps_ns: Sequence[int]) -> float:
    """Frames per second of the stamps; DEFAULT_FPS where they tell nothing."""
    duration_s = (max(stamps_ns) - min(stamps_ns)) / 1e9 if stamps_ns else 0.0
    return (len(stamps_ns) - 1) / duration_s if duration_s > 0 else DEFAULT_FPS
