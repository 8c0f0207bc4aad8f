"""Output that appears under its final name only when it is complete."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path


class OutputError(ValueError):
    """The output can't be written; the text says which, why and what to do."""


class Replaceable(Enum):
    """What an output may take the place of; a folder goes with all that is in it."""

    NOTHING = "nothing"
    FILE = "file"
    FILE_OR_FOLDER = "file or folder"


@contextmanager
def complete_output(path: Path, replaces: Replaceable = Replaceable.NOTHING) -> Iterator[Path]:
    """A name beside `path`, with its suffix, to write a file or folder under; it becomes `path` on success.

    On an exception nothing is left. Raises OutputError when path exists and may not be replaced, or is no file name.
    """
    check_file_name(path)
    if path.exists() and replaces is Replaceable.NOTHING:
        raise OutputError(f"{path}: exists already; give --force to replace it, or another name")
    if path.exists() and not (path.is_file() or (path.is_dir() and replaces is Replaceable.FILE_OR_FOLDER)):
        wanted = "file or folder" if replaces is Replaceable.FILE_OR_FOLDER else "file"
        raise OutputError(f"{path}: is there already and no {wanted}, so it isn't replaced; give another name")
    if not path.absolute().parent.is_dir():
        raise OutputError(f"{path}: its folder does not exist; create {path.absolute().parent}")
    partial = path.with_name(f".{path.stem}.partial{path.suffix}")
    _remove(partial)
    try:
        yield partial
        _remove(path)
        partial.rename(path)
    finally:
        _remove(partial)


def check_file_name(path: Path) -> None:
    """Raise OutputError for a path that names nothing, as / does."""
    if not path.name:
        raise OutputError(f"{path}: is no name of a file; give one")


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
