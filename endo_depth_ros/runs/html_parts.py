"""Pieces of HTML: tables, pictures and figures as text."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from html import escape
from pathlib import Path


def figure_of(path: Path, title: str, caption: str) -> str:
    """A picture inside the page."""
    data = base64.b64encode(path.read_bytes()).decode()
    return (
        f"<h2>{escape(title)}</h2><p>{escape(caption)}</p>"
        f'<img alt="{escape(title)}" src="data:image/png;base64,{data}">'
    )


def make_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """An HTML table of cells that are HTML already."""
    top = "".join(f"<th>{cell}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def number(value: float | None, sign: bool = False) -> str:
    """A figure with four digits; a dash for none."""
    if not known(value):
        return "–"
    return f"{value:+.4g}" if sign else f"{value:.4g}"


def known(value: float | None) -> bool:
    """Whether there is a figure."""
    return value is not None and math.isfinite(value)
