"""The numbers of an Excel sheet, for data sets that keep their poses in one."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from xml.etree import ElementTree

from endo_depth_ros.datasets.truth_sequence import DatasetError

SPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
STRINGS = "xl/sharedStrings.xml"


def read_sheet(path: Path) -> list[dict[str, str]]:
    """Rows of the first sheet as text by the names in its first row; empty cells are left out (ECMA-376, 18.3.1).

    Raises DatasetError for a file that is no workbook.
    """
    try:
        with zipfile.ZipFile(path) as workbook:
            names = workbook.namelist()
            strings = _strings(workbook.read(STRINGS)) if STRINGS in names else []
            sheets = sorted((name for name in names if re.fullmatch(r"xl/worksheets/sheet\d+\.xml", name)), key=len)
            rows = [
                _cells(row, strings) for row in ElementTree.fromstring(workbook.read(sheets[0])).iter(f"{SPACE}row")
            ]
    except (OSError, zipfile.BadZipFile, ElementTree.ParseError, IndexError, ValueError) as error:
        raise DatasetError(f"{path}: not a readable Excel workbook ({error}); get it again") from error
    header = rows[0] if rows else {}
    return [{header[column]: text for column, text in row.items() if column in header} for row in rows[1:]]


def _strings(content: bytes) -> list[str]:
    items = ElementTree.fromstring(content).iter(f"{SPACE}si")
    return ["".join(text.text or "" for text in item.iter(f"{SPACE}t")) for item in items]


def _cells(row: ElementTree.Element, strings: list[str]) -> dict[str, str]:
    """Texts of a row by the letters of their column."""
    cells = {}
    for cell in row.iter(f"{SPACE}c"):
        column = re.sub(r"\d", "", cell.get("r", ""))
        if cell.get("t") == "inlineStr":
            cells[column] = "".join(text.text or "" for text in cell.iter(f"{SPACE}t"))
            continue
        value = cell.findtext(f"{SPACE}v")
        if value is not None:
            cells[column] = strings[int(value)] if cell.get("t") == "s" else value
    return cells
