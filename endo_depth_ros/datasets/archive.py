"""Numbered files of a data set, extracted in a folder or still in their .tar.gz."""

from __future__ import annotations

import re
import tarfile
from pathlib import Path
from types import TracebackType

from endo_depth_ros.datasets.file_reading import numbered_files, read_bytes
from endo_depth_ros.datasets.truth_sequence import DatasetError


class NumberedFiles:
    """Files called STEM000000.SUFFIX in the folder STEM, or in STEM.tar.gz beside where it would be.

    Use as a context manager. An archive is read fastest in rising order: gzip can only be read forwards.
    """

    def __init__(self, parent: Path, stem: str, suffix: str) -> None:
        """List what is there; nothing is no error. Raises DatasetError for a corrupt archive."""
        self.folder, self.archive = parent / stem, parent / f"{stem}.tar.gz"
        self._tar: tarfile.TarFile | None = None
        self._members: dict[int, tarfile.TarInfo] = {}
        name = rf"{stem}(\d+){re.escape(suffix)}"
        self._files = numbered_files(self.folder, name)
        if not self._files and self.archive.is_file():
            self._open_archive(name)

    @property
    def numbers(self) -> set[int]:
        """The numbers that there are."""
        return set(self._files) | set(self._members)

    def path(self, number: int) -> Path:
        """The file, or its name within the archive, for messages."""
        if number in self._files:
            return self._files[number]
        return self.archive / self._members[number].name

    def read(self, number: int) -> bytes:
        """The content of one of `numbers`. Raises DatasetError."""
        if number in self._files:
            return read_bytes(self._files[number])
        try:
            assert self._tar is not None
            member = self._tar.extractfile(self._members[number])
            return b"" if member is None else member.read()
        except (OSError, EOFError, tarfile.TarError) as error:
            raise DatasetError(f"{self.path(number)}: the archive is corrupt there ({error}); get it again") from error

    def _open_archive(self, name: str) -> None:
        try:
            # Stays open for reading until __exit__.
            self._tar = tarfile.TarFile.open(self.archive)
            for member in self._tar:
                match = re.fullmatch(name, Path(member.name).name)
                if match and member.isfile():
                    self._members[int(match[1])] = member
        except (OSError, EOFError, tarfile.TarError) as error:
            raise DatasetError(f"{self.archive}: the archive is corrupt ({error}); get it again") from error

    def __enter__(self) -> NumberedFiles:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._tar is not None:
            self._tar.close()
