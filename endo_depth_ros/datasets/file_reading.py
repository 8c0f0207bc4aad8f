"""Files of data sets as arrays, with a sentence where they are not what they should be."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.bags.image_folder import read_image
from endo_depth_ros.datasets.truth_sequence import DatasetError
from endo_depth_ros.imaging.encodings import ImageError


def read_color(path: Path) -> NDArray[np.uint8]:
    """An image file as uint8 [H, W, 3], RGB. Raises DatasetError."""
    try:
        return read_image(path)
    except ImageError as error:
        raise DatasetError(str(error)) from error


def decode_any(content: bytes, where: Path) -> NDArray[Any]:
    """An image file's pixels as stored, channels in OpenCV's order (BGR). Raises DatasetError."""
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED) if content else None
    if pixels is None:
        raise DatasetError(f"{where}: the image is truncated or of an unknown kind; get it again")
    return np.asarray(pixels)


def read_bytes(path: Path) -> bytes:
    """A file's content. Raises DatasetError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise DatasetError(f"{path}: can't be read ({error.strerror}); check the path and permissions") from error


def read_depth_levels(path: Path, metres_per_level: float) -> NDArray[np.float32]:
    """A 16-bit image as metres, float32 [H, W], NaN for level 0. Raises DatasetError for another kind of image."""
    levels = decode_any(read_bytes(path), path)
    if levels.dtype != np.uint16 or levels.ndim != 2:
        kind = f"{levels.dtype} with {1 if levels.ndim == 2 else levels.shape[2]} channels"
        raise DatasetError(f"{path}: depth should be 16 bit with one channel but is {kind}; get the original file")
    depth = levels.astype(np.float32) * np.float32(metres_per_level)
    return np.where(levels > 0, depth, np.float32(np.nan))


def read_numbers(path: Path, columns: int) -> NDArray[np.float64]:
    """Lines of numbers between commas, semicolons or white space, float64 [N, columns]; # and letters begin comments.

    Raises DatasetError with the first line that has another count.
    """
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path}: not a readable text file ({error}); check the path") from error
    rows = []
    for number, line in enumerate(lines, start=1):
        words = re.split(r"[\s,;]+", line.strip(" \t,;\r"))
        if not words[0] or words[0][0] in "#%" or words[0][0].isalpha():
            continue
        try:
            row = [float(word) for word in words]
        except ValueError:
            row = []
        if len(row) != columns:
            raise DatasetError(f"{path}: line {number} does not hold {columns} numbers; get the file again")
        rows.append(row)
    return np.array(rows, np.float64).reshape(-1, columns)


def read_matrix(path: Path) -> NDArray[np.float64]:
    """K [3, 3] from nine numbers, or from the twelve of a 3x4 projection, row by row however they are broken up.

    Raises DatasetError for another count.
    """
    text = read_bytes(path).decode(errors="replace")
    try:
        numbers = np.array([float(word) for word in re.split(r"[\s,;\[\]]+", text) if word])
    except ValueError as error:
        raise DatasetError(f"{path}: holds something that is no number; it should be K, row by row") from error
    if len(numbers) not in (9, 12):
        raise DatasetError(f"{path}: has {len(numbers)} numbers; it should be K, 9 or 12, row by row")
    return numbers.reshape(3, -1)[:, :3].copy()


def numbered_files(folder: Path, name: str) -> dict[int, Path]:
    """Files of a folder whose whole name matches the regular expression `name`, by the number in its group, rising."""
    found = {}
    for path in folder.iterdir() if folder.is_dir() else ():
        match = re.fullmatch(name, path.name)
        if match:
            found[int(match[1])] = path
    return dict(sorted(found.items()))
