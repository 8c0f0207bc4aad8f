"""The report's plots, by matplotlib."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from endo_depth_ros.contracts import Verdict
from endo_depth_ros.runs.comparison import Comparison
from endo_depth_ros.runs.run_folder import Row
from endo_depth_ros.runs.sequence_figures import HISTOGRAM_EDGES_M

WIDTH_IN, DPI = 10.0, 110
# Told apart without colour vision too (Okabe and Ito 2008).
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#777777"
VERDICT_COLORS = {
    Verdict.OK.value: GREEN,
    Verdict.DARK.value: "#000000",
    Verdict.OVEREXPOSED.value: "#F0E442",
    Verdict.OBSCURED.value: ORANGE,
    Verdict.OUTSIDE_BODY.value: "#56B4E9",
    Verdict.BLURRED.value: "#CC79A7",
    Verdict.INVALID_INPUT.value: "#999999",
    Verdict.INTERNAL_ERROR.value: "#FF0000",
}


class PlotError(RuntimeError):
    """Nothing can be drawn; the text says what to install."""


def require_matplotlib() -> None:
    """Raise PlotError where matplotlib is missing, before hours of work."""
    if importlib.util.find_spec("matplotlib") is None:
        raise PlotError("the report needs matplotlib, which is not installed: pip install endo_depth_ros[eval]")


def plot_error_over_time(path: Path, rows: Sequence[Row], headline: str) -> None:
    """AbsRel and coverage of every frame; recordings one after the other."""
    figure, (upper, lower) = _figure(2, 4.6)
    x = np.arange(len(rows))
    upper.plot(x, [100 * row[f"{headline}.abs_rel"] for row in rows], color=BLUE, lw=1, marker=".", ms=2)
    upper.set_ylabel("relative error, %")
    upper.set_ylim(bottom=0)
    lower.plot(x, [100 * row[f"{headline}.coverage"] for row in rows], color=GREEN, lw=1, marker=".", ms=2)
    lower.set_ylabel("coverage, %")
    lower.set_ylim(0, 104)
    _mark_recordings((upper, lower), rows)
    _save(figure, path)


def plot_states(path: Path, rows: Sequence[Row]) -> None:
    """What was said of every frame, as a band."""
    from matplotlib.patches import Patch

    figure, (axes,) = _figure(1, 1.5)
    verdicts = [row["verdict"] for row in rows]
    starts = [0, *(i for i in range(1, len(rows)) if verdicts[i] != verdicts[i - 1])]
    for start, end in zip(starts, [*starts[1:], len(rows)], strict=True):
        axes.axvspan(start - 0.5, end - 0.5, color=VERDICT_COLORS.get(verdicts[start], GREY), lw=0)
    axes.set_yticks([])
    seen = sorted(set(verdicts), key=verdicts.index)
    patches = [Patch(color=VERDICT_COLORS.get(v, GREY), label=f"{v} ({verdicts.count(v)})") for v in seen]
    _mark_recordings((axes,), rows)
    figure.legend(handles=patches, loc="outside upper center", ncols=4, frameon=False)
    _save(figure, path)


def plot_depths(path: Path, recordings: Sequence[Mapping[str, Any]]) -> None:
    """How true and estimated depths are distributed."""
    figure, (axes,) = _figure(1, 3.2)
    for name, color, label in (("truth", GREY, "truth"), ("prediction", BLUE, "estimate")):
        counts = np.sum([each["histogram"][name] for each in recordings], axis=0)
        share = counts / max(counts.sum(), 1)
        axes.stairs(100 * share, 1000 * HISTOGRAM_EDGES_M, color=color, fill=name == "truth", alpha=0.8, label=label)
        used = np.flatnonzero(counts)
        if len(used):
            axes.update_datalim([(1000 * HISTOGRAM_EDGES_M[used[0]], 0), (1000 * HISTOGRAM_EDGES_M[used[-1] + 1], 1)])
    total = np.sum([np.add(e["histogram"]["truth"], e["histogram"]["prediction"]) for e in recordings], axis=0)
    used = np.flatnonzero(total)
    if len(used):
        axes.set_xlim(1000 * HISTOGRAM_EDGES_M[max(used[0] - 1, 0)], 1000 * HISTOGRAM_EDGES_M[min(used[-1] + 2, 150)])
    axes.set_xscale("log")
    axes.set_xlabel("depth, mm")
    axes.set_ylabel("pixels, %")
    axes.legend(frameon=False, loc="upper right")
    _save(figure, path)


def plot_calibration(path: Path, recordings: Sequence[Mapping[str, Any]], unit: str) -> None:
    """Stated against true uncertainty, and what is left when the most uncertain pixels are taken away."""
    figure, (left, right) = _figure(1, 3.8, columns=2)
    ends = [1e-9]
    for each in recordings:
        bins = each["calibration"]["bins"]
        stated, true = [one["sigma"] for one in bins], [one["rms_error"] for one in bins]
        left.plot(stated, true, color=BLUE, marker="o", ms=4, lw=1, alpha=0.8)
        ends += [*stated, *true]
    end = 1.05 * max(ends)
    left.plot([0, end], [0, end], color=GREY, ls="--", lw=1)
    left.text(0.97 * end, 0.9 * end, "as honest as it can be", ha="right", va="top", color=GREY, fontsize=9)
    left.set_xlim(0, end)
    left.set_ylim(0, end)
    left.set_xlabel(f"stated uncertainty (sigma), {unit}")
    left.set_ylabel(f"true error (rms), {unit}")
    for each in recordings:
        curve = each["sparsification"]
        if curve:
            for name, color in (("by_error", GREEN), ("by_sigma", BLUE), ("random", GREY)):
                right.plot(100 * np.array(curve["removed"]), 100 * np.array(curve[name]), color=color, lw=1)
    for label, color in (("by true error (best possible)", GREEN), ("by sigma", BLUE), ("at random", GREY)):
        right.plot([], [], color=color, label=label)
    right.set_xlabel("most uncertain pixels left out, %")
    right.set_ylabel("relative error of the rest, %")
    right.legend(frameon=False, loc="lower left")
    _save(figure, path)


def plot_latency(path: Path, rows: Sequence[Row]) -> None:
    """How long frames took."""
    figure, (axes,) = _figure(1, 2.8)
    values = np.array([row["latency_ms"] for row in rows])
    values = values[np.isfinite(values)]
    if len(values):
        axes.hist(values, bins=np.linspace(0, 1.05 * np.percentile(values, 99.5), 60).tolist(), color=BLUE)
        for percent, style in ((50, "-"), (99, "--")):
            at = float(np.percentile(values, percent))
            axes.axvline(at, color=ORANGE, ls=style, lw=1.5, label=f"{percent} % within {at:.1f} ms")
        axes.legend(frameon=False, loc="upper right")
    axes.set_xlabel("milliseconds a frame")
    axes.set_ylabel("frames")
    _save(figure, path)


def plot_comparison(path: Path, comparison: Comparison) -> None:
    """AbsRel of both runs, frame by frame."""
    figure, (axes,) = _figure(1, 3.4)
    for place, (color, label) in enumerate(((BLUE, "A"), (ORANGE, "B"))):
        values = [100 * pair[place][f"{comparison.alignment}.abs_rel"] for pair in comparison.rows]
        axes.plot(values, color=color, lw=1, marker=".", ms=2, label=label)
    axes.set_ylabel("relative error, %")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, loc="upper right")
    _mark_recordings((axes,), [a for a, _ in comparison.rows])
    _save(figure, path)


def _figure(rows: int, height_in: float, columns: int = 1) -> tuple[Any, Any]:
    """A figure for files only, and its axes, flat."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH_IN, height_in), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False, sharex=columns == 1).ravel()
    for each in axes:
        each.spines[["top", "right"]].set_visible(False)
        each.grid(alpha=0.25)
    return figure, axes


def _mark_recordings(axes: Sequence[Any], rows: Sequence[Row]) -> None:
    """Borders and names where one recording follows another."""
    names = [row["recording"] for row in rows]
    starts = [0, *(i for i in range(1, len(names)) if names[i] != names[i - 1])]
    for each in axes:
        each.set_xlim(-0.5, max(len(names) - 0.5, 0.5))
        for start in starts[1:]:
            each.axvline(start - 0.5, color=GREY, lw=0.8)
    axes[-1].set_xlabel("frame")
    if 1 < len(starts) <= 12:
        for start in starts:
            axes[0].annotate(names[start], (start, 1), xycoords=("data", "axes fraction"), fontsize=7, va="bottom")


def _save(figure: Any, path: Path) -> None:
    figure.savefig(path, metadata={"Software": None})
