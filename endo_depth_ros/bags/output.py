"""Output that appears under its final name only when it is complete."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class OutputError(ValueError):
    """The output can't be written; the text says which, why and what to do."""


@contextmanager
def complete_output(path: Path, overwrite: bool = False) -> Iterator[Path]:
    """A name beside `path`, with its suffix, to write a file or folder under; it becomes `path` on success.

    On an exception nothing is left. Raises OutputError when path exists and may not be overwritten.
    """
    if path.exists() and not overwrite:
        raise OutputError(f"{path}: exists already; give --force to replace it, or another name")
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


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
