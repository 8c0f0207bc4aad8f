"""A folder of image files as a source of frames, and its files."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.bags.camera_yaml import read_camera
from endo_depth_ros.bags.output import OutputError
from endo_depth_ros.bags.source import (
    DEFAULT_FPS,
    DEFAULT_FRAME_ID,
    SourceError,
    SourceFrame,
    check_readable,
    make_broken_frame,
    make_frame,
)
from endo_depth_ros.geometry.camera import Camera
from endo_depth_ros.imaging.compressed import decode_by_opencv, decode_compressed
from endo_depth_ros.imaging.encodings import ImageError

COMPRESSED_SUFFIXES = (".jpg", ".jpeg", ".png")
SUFFIXES = (*COMPRESSED_SUFFIXES, ".bmp", ".tif", ".tiff")
# Files that data sets keep beside the colour images.
NOT_COLOUR = {"depth", "mask"}
STAMPS_FILE, CAMERA_FILE = "stamps.csv", "camera.yaml"


class ImageFolderSource:
    """Images of one folder in natural order (2 before 10), `fps` a second from zero or as its stamps.csv says."""

    def __init__(
        self, path: Path, camera: Camera | None = None, fps: float | None = None, frame_id: str = DEFAULT_FRAME_ID
    ) -> None:
        """List the files. camera: used instead of the folder's camera.yaml.

        Raises SourceError when there are none or stamps.csv doesn't fit them, CameraError for a bad camera.yaml.
        """
        check_readable(path, "folder")
        self.name = str(path)
        self.warning = ""
        if camera is None and (path / CAMERA_FILE).is_file():
            camera = read_camera(path / CAMERA_FILE)
        self._camera, self._frame_id = camera, frame_id
        self._files = list_images(path)
        if not self._files:
            raise SourceError(f"{path}: no images in this folder; put {', '.join(SUFFIXES)} files into it")
        self.frame_count: int | None = len(self._files)
        self.fps: float | None = fps or DEFAULT_FPS
        stamps = None if fps else _read_stamps(path / STAMPS_FILE)
        self._stamps_ns = [
            _stamp_of(file, stamps, path) if stamps else round(index * 1e9 / self.fps)
            for index, file in enumerate(self._files)
        ]

    def __iter__(self) -> Iterator[SourceFrame]:
        """Iterate from the first image; the first readable one fixes the size of all."""
        size: tuple[int, int] | None = None
        for file, stamp_ns in zip(self._files, self._stamps_ns, strict=True):
            try:
                image = read_image(file)
            except ImageError as error:
                yield make_broken_frame(stamp_ns, self._frame_id, str(error))
                continue
            height, width = image.shape[:2]
            size = size or (width, height)
            if size == (width, height):
                yield make_frame(stamp_ns, self._frame_id, image, self._camera)
                continue
            error_text = (
                f"{file}: the image is {width}x{height} but the first one is {size[0]}x{size[1]}; "
                "put images of one size into the folder"
            )
            yield make_broken_frame(stamp_ns, self._frame_id, error_text)


def list_images(path: Path) -> list[Path]:
    """Image files of the folder in natural order, without depth maps and masks where others remain."""
    files = [file for file in path.iterdir() if file.suffix.lower() in SUFFIXES and not file.name.startswith(".")]
    colour = [file for file in files if not NOT_COLOUR & set(re.split(r"[._\-]", file.stem.lower()))]
    return sorted(colour or files, key=_natural_key)


def read_image(file: Path) -> NDArray[np.uint8]:
    """The file as uint8 [H, W, 3], RGB. Raises ImageError with the file, what is wrong and the remedy."""
    try:
        content = file.read_bytes()
        if file.suffix.lower() in COMPRESSED_SUFFIXES:
            return decode_compressed(content)
    except OSError as error:
        raise ImageError(f"{file}: can't be read ({error.strerror}); check the disk and permissions") from error
    except ImageError as error:
        raise ImageError(f"{file}: {error}") from error
    image = decode_by_opencv(content)
    if image is None:
        raise ImageError(f"{file}: the image is corrupt or of an unknown kind; write it again")
    return image


def write_image(file: Path, image: NDArray[np.uint8]) -> None:
    """Write uint8 [H, W, 3], RGB, as the file's suffix says. Raises OutputError."""
    if not cv2.imwrite(str(file), cv2.cvtColor(image, cv2.COLOR_RGB2BGR)):
        raise OutputError(f"{file}: can't be written; free some disk space")


def _natural_key(file: Path) -> list[tuple[bool, int, str]]:
    parts = re.split(r"(\d+)", file.name)
    return [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts]


def _read_stamps(path: Path) -> dict[str, int] | None:
    if not path.is_file():
        return None
    try:
        with path.open(newline="") as lines:
            return {row["file"]: int(row["stamp_ns"]) for row in csv.DictReader(lines)}
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise SourceError(
            f"{path}: not a table with columns file and stamp_ns; correct it, or give --fps to ignore it"
        ) from error


def _stamp_of(file: Path, stamps: dict[str, int], folder: Path) -> int:
    if file.name not in stamps:
        raise SourceError(f"{folder / STAMPS_FILE}: has no row for {file.name}; add it, or give --fps to ignore it")
    return stamps[file.name]
