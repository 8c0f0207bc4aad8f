"""Fingerprints of the set-up's inputs, so that a step runs again only when they changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

IGNORED_FOLDERS = {"__pycache__", "build", ".mypy_cache", ".ruff_cache"}


def list_files(path: Path) -> list[Path]:
    """The file, or every source file under the folder, in a fixed order; nothing for a path that isn't there."""
    if path.is_file():
        return [path]
    return sorted(file for file in path.rglob("*") if file.is_file() and not is_byproduct(file.relative_to(path)))


def is_byproduct(path: Path) -> bool:
    """Whether a build or a cache left the file."""
    return any(part in IGNORED_FOLDERS or part.endswith(".egg-info") for part in path.parts)


def fingerprint(root: Path, paths: Iterable[Path], *facts: str) -> str:
    """A digest of the facts and of the names (relative to root) and contents of all files in the paths."""
    digest = hashlib.sha256()
    for fact in facts:
        digest.update(fact.encode() + b"\0")
    for path in paths:
        for file in list_files(path):
            content = file.read_bytes()
            digest.update(f"{file.relative_to(root)}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


class Stamp:
    """A file that holds the fingerprint with which a step was last finished."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def matches(self, value: str) -> bool:
        """Whether the step was finished with this fingerprint."""
        return self.path.is_file() and self.path.read_text() == value

    def write(self, value: str) -> None:
        """Note that the step is finished."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(value)

    def remove(self) -> None:
        """Note that the step is no longer finished."""
        self.path.unlink(missing_ok=True)
