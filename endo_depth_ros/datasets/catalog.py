"""Every data set that can be read, and which of them a path holds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from endo_depth_ros.bags.source import check_readable
from endo_depth_ros.datasets import c3vd, endoslam, hamlyn, scared, servct, simcol3d, truth_folder, tum_rgbd
from endo_depth_ros.datasets.truth_sequence import DatasetError, Layout, ReadOptions, TruthSequence
from endo_depth_ros.registry import Registry, UnknownNameError

# In the order in which a path is tried: the more particular a layout, the earlier.
DATASETS: Registry[Layout] = Registry("data set")
for _layout in (
    scared.VIDEOS,
    scared.KEYFRAMES,
    hamlyn.LAYOUT,
    servct.CT,
    servct.SCAN,
    simcol3d.LAYOUT,
    tum_rgbd.LAYOUT,
    c3vd.LAYOUT,
    truth_folder.LAYOUT,
    endoslam.LAYOUT,
):
    DATASETS.register(_layout.name)(_layout)


@dataclass(frozen=True)
class FoundSequence:
    """A sequence on disk that was not opened yet; one that is broken does not keep the others from being read."""

    layout: Layout
    folder: Path
    name: str

    def open(self, options: ReadOptions | None = None) -> TruthSequence:
        """Its frames. Raises DatasetError."""
        return self.layout.open(self.folder, self.name, options or ReadOptions())


def find_sequences(path: Path, dataset: str = "") -> tuple[FoundSequence, ...]:
    """The sequences at or below a path, in natural order: of the data set named, else of the first that fits.

    Raises DatasetError where nothing fits, UnknownNameError for a name that there is not, SourceError for no folder.
    """
    check_readable(path, "folder")
    try:
        layouts = [DATASETS.get(dataset)] if dataset else [DATASETS.get(name) for name in DATASETS]
    except UnknownNameError as error:
        raise DatasetError(str(error)) from error
    found = next((sequences for sequences in (_sequences(path, layout) for layout in layouts) if sequences), ())
    if found:
        return found
    if dataset:
        raise DatasetError(f"{path}: holds no {layouts[0].title}; it should have {layouts[0].expects}")
    raise DatasetError(
        f"{path}: is no bag (.mcap, .db3, or a folder of one) and holds no data set that is known by its layout; "
        f"give a folder of one of: {', '.join(DATASETS)}"
    )


def holds_dataset(path: Path) -> bool:
    """Whether a path is a folder with the layout of some data set. Raises SourceError where that can't be told."""
    try:
        return path.is_dir() and bool(find_sequences(path))
    except DatasetError:
        return False


def choose_sequence(sequences: tuple[FoundSequence, ...], wanted: str) -> FoundSequence:
    """The sequence called `wanted`, or the only one. Raises DatasetError that lists them."""
    names = ", ".join(sequence.name for sequence in sequences)
    if wanted:
        chosen = [sequence for sequence in sequences if sequence.name == wanted]
        if not chosen:
            raise DatasetError(f"there is no sequence '{wanted}'; give --sequence as one of: {names}")
        return chosen[0]
    if len(sequences) > 1:
        raise DatasetError(f"there are {len(sequences)} sequences; give --sequence as one of: {names}")
    return sequences[0]


def _sequences(path: Path, layout: Layout) -> tuple[FoundSequence, ...]:
    root = path.absolute()
    folders = {folder for pattern in layout.folders for folder in _expand(root, pattern) if folder.is_dir()}
    ordered = sorted((folder for folder in folders if layout.is_sequence(folder)), key=_natural)
    return tuple(FoundSequence(layout, folder, layout.name_of(folder)) for folder in ordered)


def _expand(root: Path, pattern: str) -> list[Path]:
    return [root] if pattern == "." else list(root.glob(pattern))


def _natural(folder: Path) -> list[tuple[bool, int, str]]:
    parts = re.split(r"(\d+)", str(folder))
    return [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts]
