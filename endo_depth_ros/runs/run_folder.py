"""What a run leaves of each recording, so that it can be gone on with, pooled and compared."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.bags.output import OutputError
from endo_depth_ros.evaluation.contact_sheet import SheetRow
from endo_depth_ros.json_file import write_json

RECORDINGS, RESULT, FRAMES, EXAMPLES = "recordings", "result.json", "frames.csv", "examples.npz"
METRICS, REPORT, PLOTS, TABLE = "metrics.json", "report.html", "plots", "recordings.csv"
TEXT_COLUMNS = {"recording", "verdict", "scale_state", "reason", "pose_state", "pose_reason"}
WHOLE_COLUMNS = {"frame", "stamp_ns"}
Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Example:
    """A frame for the report's grid and how wrong it is, with AbsRel under the headline's alignment."""

    abs_rel: float
    row: SheetRow


@dataclass(frozen=True, eq=False)
class RecordingResult:
    """A finished recording. key: of everything that it depends on. facts: its part of metrics.json and `times`."""

    key: str
    facts: dict[str, Any]
    rows: list[Row]
    examples: list[Example]

    @property
    def name(self) -> str:
        """The recording's name."""
        return str(self.facts["name"])


def write_result(folder: Path, result: RecordingResult) -> None:
    """Write a recording's files; result.json comes last and makes it count as finished."""
    folder.mkdir(parents=True, exist_ok=True)
    write_rows(folder / FRAMES, result.rows)
    arrays: dict[str, NDArray[Any]] = {}
    for place, example in enumerate(result.examples):
        row = example.row
        maps = {"image": row.image, "depth": row.depth, "truth": row.truth, "sigma": row.sigma}
        arrays.update({f"{place}_{name}": np.asarray(values) for name, values in maps.items() if values is not None})
        arrays[f"{place}_label"] = np.array(row.label)
        arrays[f"{place}_abs_rel"] = np.array(example.abs_rel)
    np.savez(folder / EXAMPLES, **arrays)  # type: ignore[arg-type]  # its stub takes the names for its own options
    write_json(folder / RESULT, {"key": result.key, "facts": result.facts})


def read_facts(folder: Path, key: str = "") -> dict[str, Any] | None:
    """The facts alone of what read_result gives."""
    document = _read_document(folder, key)
    return None if document is None else document["facts"]


def read_result(folder: Path, key: str = "") -> RecordingResult | None:
    """A finished recording, None where it is not finished or, given a key, of something else. Raises OutputError."""
    document = _read_document(folder, key)
    if document is None:
        return None
    try:
        with np.load(folder / EXAMPLES) as arrays:
            examples = [_example(arrays, place) for place in range(sum(n.endswith("_label") for n in arrays.files))]
        return RecordingResult(document["key"], document["facts"], read_rows(folder / FRAMES), examples)
    except (OSError, ValueError, KeyError) as error:
        raise _unfinished(folder, error) from error


def _read_document(folder: Path, key: str) -> dict[str, Any] | None:
    if not (folder / RESULT).is_file():
        return None
    try:
        document = json.loads((folder / RESULT).read_text())
        made = {"key": str(document["key"]), "facts": dict(document["facts"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unfinished(folder, error) from error
    return None if key and made["key"] != key else made


def _unfinished(folder: Path, error: Exception) -> OutputError:
    return OutputError(f"{folder}: not a finished recording ({error}); remove it and run again")


def _example(arrays: Any, place: int) -> Example:
    def of(name: str) -> NDArray[Any] | None:
        return arrays[f"{place}_{name}"] if f"{place}_{name}" in arrays.files else None

    image, depth = arrays[f"{place}_image"], arrays[f"{place}_depth"]
    row = SheetRow(str(arrays[f"{place}_label"]), image, depth, of("truth"), of("sigma"))
    return Example(float(arrays[f"{place}_abs_rel"]), row)


def write_rows(path: Path, rows: list[Row]) -> None:
    """Rows of one shape as CSV; NaN is an empty cell. Numbers read back exactly."""
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]) if rows else [])
        table.writeheader()
        table.writerows({name: _cell(value) for name, value in row.items()} for row in rows)


def read_rows(path: Path) -> list[Row]:
    """The rows that write_rows wrote."""
    with path.open(newline="") as file:
        return [{name: _value(name, text) for name, text in row.items()} for row in csv.DictReader(file)]


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return repr(float(value)) if math.isfinite(value) else ""
    return value


def _value(name: str, text: str) -> Any:
    if name in TEXT_COLUMNS:
        return text
    if name in WHOLE_COLUMNS:
        return int(text)
    return float(text) if text else math.nan
