"""Lists of test frames as AF-SfMLearner distributes them."""

from __future__ import annotations

from pathlib import Path

from endo_depth_ros.datasets.truth_sequence import DatasetError

# Its copy of SCARED counts the keyframes of these from 1; the data set itself from 0.
RENUMBERED = ("8", "9")


def read_split(path: Path) -> dict[str, list[int]]:
    """Frames by sequence, as scared.py names them and counts from 0, of lines 'dataset1/keyframe3 390 l'.

    The file counts frames from 1, and keyframes of datasets 8 and 9 from 1 too. Raises DatasetError with the line.
    """
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path}: not a readable text file ({error}); check the path") from error
    frames: dict[str, list[int]] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            folder, frame, _ = line.split()
            dataset, keyframe = folder.split("/")
            d, k = dataset.removeprefix("dataset"), int(keyframe.removeprefix("keyframe"))
            index = int(frame) - 1
            if not d.isdigit() or index < 0:
                raise ValueError
        except ValueError as error:
            raise DatasetError(
                f"{path}: line {number} is not 'dataset1/keyframe3 390 l'; get the file again"
            ) from error
        frames.setdefault(f"dataset_{d}/keyframe_{k - 1 if d in RENUMBERED else k}", []).append(index)
    return frames
