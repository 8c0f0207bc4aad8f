"""A rendered sequence as one file: a zip of pictures and sequence.json, written whole or not at all."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.geometry.camera import Camera
from endo_depth_ros.synthetic.anatomy import DOWN
from endo_depth_ros.synthetic.families import LAPAROSCOPIC
from training.codecs import LightCode, PictureError, decode_depth, decode_light, encode_depth, encode_light

SCHEMA_VERSION = 2
SUFFIX = ".sequence.zip"
NO_PAIR = -1
TOO_STEEP = 0.4  # sine of the angle to the vertical below which no way is down in the picture


class SequenceFileError(ValueError):
    """The file is damaged or of another kind; the text says which file and why."""


@dataclass(frozen=True, eq=False)
class View:
    """One rendering before any sensor.

    radiance: linear RGB, float32 [H, W, 3]. log_depth: natural log of z in metres, float32 [H, W], NaN where unknown.
    instrument: bool [H, W]. K: float64 [3, 3], square pixels, of the sequence's projection. laparoscopic: whether it
    shows what laparoscopes look at. down: where down is in their pictures, a unit vector [2], in pairs that of the
    first frame; None in others, and where they look straight down or up. Both are known of stored views only.
    """

    radiance: NDArray[np.float32]
    log_depth: NDArray[np.float32]
    instrument: NDArray[np.bool_]
    K: NDArray[np.float64]
    laparoscopic: bool = False
    down: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class ViewRecord:
    """What is known about a view besides its pictures.

    time_s: in the sequence. pair: the frames of a video pair or clip share a number; NO_PAIR for a view of its own.
    T_world_camera: 16 numbers, row by row. dark, bright: see LightCode.
    """

    time_s: float
    pair: int
    T_world_camera: tuple[float, ...]
    dark: float
    bright: float


@dataclass(frozen=True)
class SequenceRecord:
    """What is known about a sequence.

    projection: distortion_model of its camera, stereographic or '' for a pinhole. K: 9 numbers, row by row.
    """

    family: str
    seed: int
    width: int
    height: int
    projection: str
    K: tuple[float, ...]
    views: tuple[ViewRecord, ...]
    schema_version: int = SCHEMA_VERSION


class SequenceWriter:
    """Collects the views of one sequence and writes them at the end, so that no reader sees half a file."""

    def __init__(self, path: Path, family: str, seed: int, camera: Camera, quality: int) -> None:
        self._path, self._family, self._seed, self._camera, self._quality = path, family, seed, camera, quality
        self._pictures: list[tuple[bytes, bytes]] = []
        self._records: list[ViewRecord] = []

    def add(
        self,
        radiance: NDArray[np.float32],
        depth: NDArray[np.float32],
        instrument: NDArray[np.bool_],
        T_world_camera: NDArray[np.float64],
        time_s: float,
        pair: int = NO_PAIR,
    ) -> None:
        """One more view; depth is z in metres [H, W], NaN where unknown."""
        light, code = encode_light(radiance, self._quality)
        self._pictures.append((light, encode_depth(depth, instrument)))
        pose = tuple(float(value) for value in T_world_camera.ravel())
        self._records.append(ViewRecord(time_s, pair, pose, code.dark, code.bright))

    def __len__(self) -> int:
        return len(self._records)

    def finish(self) -> None:
        """Write the file. Raises OSError (no space, no permission)."""
        camera = self._camera
        K = tuple(float(value) for value in camera.K.ravel())
        size = camera.width, camera.height
        record = SequenceRecord(self._family, self._seed, *size, camera.distortion_model, K, tuple(self._records))
        self._path.parent.mkdir(parents=True, exist_ok=True)
        partial = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        try:
            with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
                archive.writestr("sequence.json", json.dumps(asdict(record)))
                for index, (light, depth) in enumerate(self._pictures):
                    archive.writestr(_light_name(index), light)
                    archive.writestr(_depth_name(index), depth)
            partial.replace(self._path)
        finally:
            partial.unlink(missing_ok=True)


def read_record(path: Path) -> SequenceRecord:
    """What the file says about itself. Raises SequenceFileError."""
    try:
        with zipfile.ZipFile(path) as archive:
            values = json.loads(archive.read("sequence.json"))
        if values["schema_version"] != SCHEMA_VERSION:
            raise SequenceFileError(
                f"{path}: has schema version {values['schema_version']}, not {SCHEMA_VERSION}; render it again"
            )
        views = tuple(
            ViewRecord(**{**view, "T_world_camera": tuple(view["T_world_camera"])}) for view in values["views"]
        )
        return SequenceRecord(**{**values, "K": tuple(values["K"]), "views": views})
    except SequenceFileError:
        raise
    except _DAMAGE as error:
        raise SequenceFileError(f"{path}: not a rendered sequence ({error}); render it again") from error


def read_views(path: Path, record: SequenceRecord, indices: Sequence[int]) -> list[View]:
    """Some views of a file. Raises SequenceFileError."""
    K, laparoscopic = np.array(record.K).reshape(3, 3), record.family in LAPAROSCOPIC
    views = []
    try:
        with zipfile.ZipFile(path) as archive:
            for index in indices:
                known = record.views[index]
                radiance = decode_light(archive.read(_light_name(index)), LightCode(known.dark, known.bright))
                log_depth, instrument = decode_depth(archive.read(_depth_name(index)))
                down = _find_down(_first_of_pair(record, known)) if laparoscopic else None
                views.append(View(radiance, log_depth, instrument, K, laparoscopic, down))
    except (*_DAMAGE, PictureError) as error:
        raise SequenceFileError(f"{path}: a view is damaged ({error}); render it again") from error
    return views


def _first_of_pair(record: SequenceRecord, view: ViewRecord) -> ViewRecord:
    """The view itself, or the first frame of its pair: both are to be turned alike."""
    return view if view.pair == NO_PAIR else next(each for each in record.views if each.pair == view.pair)


def _find_down(view: ViewRecord) -> NDArray[np.float64] | None:
    """View.down of a laparoscope's view."""
    down = (np.array(DOWN) @ np.array(view.T_world_camera).reshape(4, 4)[:3, :3])[:2]
    length = float(np.linalg.norm(down))
    return down / length if length > TOO_STEEP else None


_DAMAGE = (OSError, zipfile.BadZipFile, ValueError, KeyError, TypeError, IndexError, EOFError)


def _light_name(index: int) -> str:
    return f"{index:03d}_light.jpg"


def _depth_name(index: int) -> str:
    return f"{index:03d}_depth.png"
