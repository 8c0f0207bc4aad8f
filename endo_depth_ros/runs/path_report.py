"""The report's words and tables about the camera's path."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from endo_depth_ros.evaluation.protocol import Protocol
from endo_depth_ros.runs.html_parts import figure_of, known, make_table, number
from endo_depth_ros.runs.report_words import PATH_ALIGNMENTS_IN_WORDS, PATH_CAPTION

PATH_PLOT = "camera_path.png"
SHOWN_PATHS = 4
SNIPPET_NAMES = {"snippet_ate": "5-frame ATE, first sequence", "snippet_ate_2": "second sequence"}


def length_unit(protocol: Protocol) -> str:
    """The unit of path lengths: data sets whose depth has none give their poses in metres."""
    return "m" if protocol.unit == "relative" else protocol.unit


def choose_paths(metrics: Mapping[str, Any]) -> list[str]:
    """The recordings whose paths are drawn: of many those that drift most."""
    followed = {each["name"]: each["pose"] for each in metrics["recordings"] if each["pose"]}
    drift = {
        name: next(iter(p["trajectory"].values()))["ate_percent"] for name, p in followed.items() if p["trajectory"]
    }
    return sorted(drift, key=lambda name: -drift[name] if known(drift[name]) else 0.0)[:SHOWN_PATHS]


def path_parts(metrics: Mapping[str, Any], protocol: Protocol, plots: Path) -> list[str]:
    """What is said of camera paths; nothing where no camera was followed."""
    if not metrics["pose"]:
        return []
    return [
        "<h2>Camera path</h2>",
        introduce_path(metrics["pose"], length_unit(protocol)),
        table_of_paths(metrics, length_unit(protocol)),
        *snippet_parts(metrics, protocol),
        *([figure_of(plots / PATH_PLOT, "Path and drift", PATH_CAPTION)] if choose_paths(metrics) else []),
    ]


def introduce_path(pose: Mapping[str, Any], unit: str) -> str:
    """The outcome in three sentences."""
    texts = [
        f"The camera's place was known in <b>{100 * pose['pose_coverage']:.0f} %</b> of {pose['frames']} frames with "
        "a true pose."
    ]
    if known(pose["ate"]):
        texts.append(
            f"Its path is <b>{number(pose['ate'])} {unit}</b> from the true one (root mean square over these frames, "
            f"ATE), which is <b>{pose['ate_percent']:.1f} %</b> of the way; a straight line would score "
            f"{pose['straight_line_percent']:.1f} %."
        )
        if pose["ate"] >= pose["straight_line_ate"]:
            texts.append("<b>That is no better than the straight line: this path says nothing.</b>")
    return f"<p>{' '.join(texts)}</p>"


def table_of_paths(metrics: Mapping[str, Any], unit: str) -> str:
    """A row for each recording and alignment of its path."""
    head = [
        "recording", "path", f"ATE, {unit} ↓", "of the way ↓", "straight line", "scale",
        f"frame to frame (RPE), {unit}, deg ↓", "per 10 mm of way ↓", "known ↑", "beginnings",
    ]  # fmt: skip
    rows = []
    for each in metrics["recordings"]:
        pose = each["pose"] or {"trajectory": {}}
        for alignment, errors in pose["trajectory"].items():
            step, way = errors["rpe_frame"], errors["rpe_path"]
            rows.append([
                escape(each["name"]), PATH_ALIGNMENTS_IN_WORDS[alignment], number(errors["ate"]),
                f"{number(errors['ate_percent'])} %", f"{number(errors['straight_line_percent'])} %",
                number(errors["scale"]), f"{number(step['translation'])}, {number(step['rotation_deg'])}",
                f"{number(way['translation'])}, {number(way['rotation_deg'])}", number(errors["coverage"]),
                str(pose["segments"]),
            ])  # fmt: skip
    return make_table(head, rows) if rows else ""


def snippet_parts(metrics: Mapping[str, Any], protocol: Protocol) -> list[str]:
    """Errors over windows as papers report them, beside theirs."""
    pose = metrics["pose"]
    if not known(pose["snippet_ate"]):
        return []
    unit = length_unit(protocol)
    text = (
        f"<p>Over windows of five frames, each with a scale of its own and divided by N as in the papers on SCARED: "
        f"{number(pose['snippet_ate'])} {unit}, rotation {number(pose['snippet_rotation'])} rad. A camera that stands "
        f"still scores {number(pose['snippet_standstill'])} {unit}: motion within a window is small.</p>"
    )
    published = [each for each in protocol.published if any(name in each.figures for name in SNIPPET_NAMES)]
    if not published:
        return [text]
    own = [[escape(each["name"]), number(each["pose"]["snippets"]["ate"]), "–", "this report"]
           for each in metrics["recordings"] if each["pose"] and each["pose"]["snippets"]]  # fmt: skip
    rows = [
        [escape(each.method), *(number(each.figures.get(name)) for name in SNIPPET_NAMES), escape(each.source)]
        for each in published
    ]
    return [text, make_table(["method or recording", *SNIPPET_NAMES.values(), "source"], [*own, *rows])]
