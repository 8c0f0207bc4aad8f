"""Two finished runs on the same images, with intervals that know that neighbouring frames are alike."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.runs.pooling import FIGURES
from endo_depth_ros.runs.run_folder import FRAMES, METRICS, Row, read_rows

RESAMPLES, SEED = 2000, 0
# Frames of a block: at 30 a second one second, beyond which a scope has mostly moved on.
BLOCK_FRAMES = 30
FEW_BLOCKS = 10
BETTER_IF_HIGHER = {"delta1", "delta2", "delta3", "coverage"}


class ComparisonError(ValueError):
    """Two runs can't be compared; the text says why and what to do."""


@dataclass(frozen=True)
class Difference:
    """One figure of both runs over the images that both answered, and B - A with its 95 % interval."""

    figure: str
    a: float
    b: float
    difference: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """Which run is better, or that this can't be told."""
        if not math.isfinite(self.low) or self.low <= 0 <= self.high:
            return "no difference shown"
        return "B" if (self.difference > 0) == (self.figure in BETTER_IF_HIGHER) else "A"


@dataclass(frozen=True, eq=False)
class Comparison:
    """All figures side by side. a, b: metrics.json of the runs; rows: the frames that both have, in order."""

    name_a: str
    name_b: str
    a: dict[str, Any]
    b: dict[str, Any]
    alignment: str
    differences: tuple[Difference, ...]
    rows: tuple[tuple[Row, Row], ...]
    blocks: int
    notes: tuple[str, ...]

    @property
    def summary(self) -> str:
        """The outcome in a sentence."""
        first = self.differences[0]
        if math.isnan(first.difference):
            return f"No image of the {len(self.rows)} in common was answered by both runs."
        interval = f"95 % {first.low:+.4f} to {first.high:+.4f}"
        if math.isnan(first.low):
            interval = f"no interval: that takes more than {BLOCK_FRAMES} images"
        return (
            f"AbsRel A {first.a:.4f}, B {first.b:.4f}, B - A {first.difference:+.4f} ({interval}) on "
            f"{len(self.rows)} images: {first.verdict}."
        )


def compare_runs(path_a: Path, path_b: Path) -> Comparison:
    """Figures under the first alignment that both have. Raises ComparisonError."""
    (a, rows_a), (b, rows_b) = read_run(path_a), read_run(path_b)
    if a["protocol"]["name"] != b["protocol"]["name"]:
        raise ComparisonError(
            f"{path_a} is of protocol {a['protocol']['name']}, {path_b} of {b['protocol']['name']}; "
            "evaluate both by one"
        )
    alignment = next((name for name in a["depth"] if name in b["depth"]), "")
    if not alignment:
        raise ComparisonError("the runs have no alignment in common; evaluate both by one protocol")
    column = f"{alignment}.coverage"
    of_b = {(row["recording"], row["stamp_ns"]): row for row in rows_b if math.isfinite(row[column])}
    both = tuple(
        (row, of_b[key])
        for row in rows_a
        if math.isfinite(row[column]) and (key := (row["recording"], row["stamp_ns"])) in of_b
    )
    if not both:
        raise ComparisonError(f"{path_a} and {path_b} have no image in common; evaluate the same recordings")
    blocks = make_blocks([row["recording"] for row, _ in both])
    draws = np.random.default_rng(SEED).integers(0, len(blocks), (RESAMPLES, len(blocks)))
    differences = tuple(compare_figure(name, alignment, both, blocks, draws) for name in FIGURES)
    notes = [f"intervals stand on {len(blocks)} blocks only: too few to rely on"] if len(blocks) < FEW_BLOCKS else []
    missing = {len(rows_a), len(rows_b)} - {len(both)}
    if missing:
        notes.append(f"A has {len(rows_a)} frames, B {len(rows_b)}; {len(both)} with truth are in both and count")
    return Comparison(path_a.name, path_b.name, a, b, alignment, differences, both, len(blocks), tuple(notes))


def read_run(path: Path) -> tuple[dict[str, Any], list[Row]]:
    """metrics.json and frames.csv of a finished run. Raises ComparisonError."""
    try:
        return json.loads((path / METRICS).read_text()), read_rows(path / FRAMES)
    except (OSError, ValueError) as error:
        raise ComparisonError(f"{path}: no finished run ({error}); give the --output of endo-depth evaluate") from error


def make_blocks(recordings: Sequence[str]) -> list[NDArray[np.intp]]:
    """Indices of runs of up to BLOCK_FRAMES neighbouring frames of one recording, as equal in length as they can be."""
    names = np.array(recordings)
    borders = np.flatnonzero(names[1:] != names[:-1]) + 1
    parts = np.split(np.arange(len(names)), borders)
    return [block for part in parts for block in np.array_split(part, math.ceil(len(part) / BLOCK_FRAMES))]


def compare_figure(
    name: str,
    alignment: str,
    both: Sequence[tuple[Row, Row]],
    blocks: Sequence[NDArray[np.intp]],
    draws: NDArray[np.integer],
) -> Difference:
    """Means over the images that both answered, and the percentile interval of resampled blocks (Künsch 1989)."""
    values = np.array([[row[f"{alignment}.{name}"] for row in pair] for pair in both])
    known = np.isfinite(values).all(axis=1)
    if not known.any():
        return Difference(name, *[math.nan] * 5)
    a, b = values[known].mean(axis=0).tolist()
    delta = np.where(known, values[:, 1] - values[:, 0], 0.0)
    sums = np.array([delta[block].sum() for block in blocks])
    counts = np.array([known[block].sum() for block in blocks])
    with np.errstate(invalid="ignore"):
        means = sums[draws].sum(axis=1) / counts[draws].sum(axis=1)
    low, high = np.nanpercentile(means, [2.5, 97.5]).tolist() if len(blocks) > 1 else (math.nan, math.nan)
    return Difference(name, a, b, b - a, low, high)
