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

    Use as a context manager. An archive of tens of gigabytes can only be read forwards, so it is searched no farther
    than a wanted file needs; in rising order that is one pass.
    """

    def __init__(self, parent: Path, stem: str, suffix: str) -> None:
        """List the folder or open the archive; nothing is no error. Raises DatasetError for a corrupt archive."""
        self.folder, self.archive = parent / stem, parent / f"{stem}.tar.gz"
        self._name = rf"{stem}(\d+){re.escape(suffix)}"
        self._files = numbered_files(self.folder, self._name)
        self._members: dict[int, tarfile.TarInfo] = {}
        self._tar: tarfile.TarFile | None = None
        self._complete = True
        if not self._files and self.archive.is_file():
            self._complete = False
            try:
                # Stays open for reading until __exit__.
                self._tar = tarfile.TarFile.open(self.archive)
            except (OSError, EOFError, tarfile.TarError) as error:
                raise self._corrupt(error) from error

    @property
    def extracted(self) -> bool:
        """Whether the files need no archive."""
        return self._tar is None

    @property
    def numbers(self) -> set[int]:
        """The numbers that there are; reads all of an archive. Raises DatasetError."""
        while not self._complete:
            self._advance()
        return set(self._files) | set(self._members)

    def path(self, number: int) -> Path:
        """The file, or its name within the archive, for messages."""
        if number in self._members:
            return self.archive / self._members[number].name
        return self._files.get(number, self.folder)

    def read(self, number: int) -> bytes | None:
        """The content of a file, None where there is none of that number. Raises DatasetError."""
        if number in self._files:
            return read_bytes(self._files[number])
        while number not in self._members and not self._complete:
            self._advance()
        if number not in self._members or self._tar is None:
            return None
        try:
            member = self._tar.extractfile(self._members[number])
            return b"" if member is None else member.read()
        except (OSError, EOFError, tarfile.TarError) as error:
            raise self._corrupt(error) from error

    def _advance(self) -> None:
        """Take in the archive's next file."""
        assert self._tar is not None
        try:
            member = self._tar.next()
        except (OSError, EOFError, tarfile.TarError) as error:
            raise self._corrupt(error) from error
        if member is None:
            self._complete = True
            return
        match = re.fullmatch(self._name, Path(member.name).name)
        if match and member.isfile():
            self._members[int(match[1])] = member

    def _corrupt(self, error: Exception) -> DatasetError:
        return DatasetError(f"{self.archive}: the archive is corrupt ({error}); get it again")

    def __enter__(self) -> NumberedFiles:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._tar is not None:
            self._tar.close()
