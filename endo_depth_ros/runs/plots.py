"""The report's plots, by matplotlib."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.contracts import TrackingState, Verdict
from endo_depth_ros.evaluation.contact_sheet import DepthUnit
from endo_depth_ros.geometry.trajectory import Trajectory
from endo_depth_ros.runs.comparison import Comparison
from endo_depth_ros.runs.run_folder import Row
from endo_depth_ros.runs.sequence_figures import HISTOGRAM_EDGES_M
from endo_depth_ros.stamps import NANOSECONDS

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

UNTRACKED = "no depth"
TRACKING_COLORS = {
    TrackingState.TRACKING.value: GREEN,
    TrackingState.INITIALISING.value: "#56B4E9",
    TrackingState.DEGRADED.value: "#F0E442",
    TrackingState.LOST.value: ORANGE,
    TrackingState.RELOCALISED.value: BLUE,
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
    """What was said of every frame's depth and, where it was followed, of the camera: a band each."""
    bands = [("depth", [row["verdict"] for row in rows], VERDICT_COLORS)]
    if any(row["pose_state"] for row in rows):
        bands.append(("camera", [row["pose_state"] or UNTRACKED for row in rows], TRACKING_COLORS))
    figure, axes = _figure(len(bands), 0.4 + 1.1 * len(bands))
    for each, (label, states, colors) in zip(axes, bands, strict=True):
        _draw_band(each, states, colors)
        each.set_ylabel(label)
    _mark_recordings(axes, rows)
    _save(figure, path)


def plot_path(path: Path, rows: Sequence[Row], unit: str) -> None:
    """Paths from above and from the side, and drift, a row of plots for each recording."""
    recordings = {name: [row for row in rows if row["recording"] == name] for name in _names(rows)}
    figure, axes = _figure(len(recordings), 3.4 * len(recordings), columns=3)
    for place, (name, own) in enumerate(recordings.items()):
        _draw_path(axes[3 * place : 3 * place + 3], name, own, unit)
    _save(figure, path)


def plot_camera_path(path: Path, trajectory: Trajectory, unit: DepthUnit) -> None:
    """A path that nothing is known of but itself, from above and from the side, coloured by time."""
    figure, axes = _figure(1, 4.2, columns=2)
    centred = unit.per_depth * (trajectory.positions - trajectory.positions.mean(axis=0))
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    seconds = (trajectory.stamps_ns - trajectory.stamps_ns[0]) / NANOSECONDS
    for each, height, label in zip(axes, (1, 2), ("from above", "from the side"), strict=True):
        x, y = (centred @ directions[[0, height]].T).T
        each.plot(x, y, color=GREY, lw=0.8)
        points = each.scatter(x, y, c=seconds, s=12, zorder=2)
        each.plot(x[:1], y[:1], "o", color=GREEN, ms=8, label="start")
        each.set_aspect("equal", adjustable="datalim")
        each.set_xlabel(unit.name)
        each.set_title(f"camera path {label}", fontsize=9)
    axes[0].legend(frameon=False, fontsize=8)
    figure.colorbar(points, ax=list(axes), label="s", shrink=0.8)
    _save(figure, path)


def _draw_band(axes: Any, states: Sequence[str], colors: Mapping[str, str]) -> None:
    """One colour for each run of equal states, and what the colours mean with how often they occur."""
    from matplotlib.patches import Patch

    starts = [0, *(i for i in range(1, len(states)) if states[i] != states[i - 1])]
    for start, end in zip(starts, [*starts[1:], len(states)], strict=True):
        axes.axvspan(start - 0.5, end - 0.5, color=colors.get(states[start], GREY), lw=0)
    axes.set_yticks([])
    seen = sorted(set(states), key=states.index)
    patches = [Patch(color=colors.get(state, GREY), label=f"{state} ({states.count(state)})") for state in seen]
    axes.legend(handles=patches, loc="lower left", bbox_to_anchor=(0, 1), ncols=5, frameon=False, fontsize=9)


def _draw_path(axes: Sequence[Any], name: str, rows: Sequence[Row], unit: str) -> None:
    """Top view, side view and drift of one recording."""
    above, aside, drift = axes
    true = np.array([[row[f"true_{axis}"] for axis in "xyz"] for row in rows])
    found = np.array([[row[f"pose_{axis}"] for axis in "xyz"] for row in rows])
    order = np.argsort([row["stamp_ns"] for row in rows], kind="stable")
    order = order[np.isfinite(true[order]).all(axis=1)]
    # The view from above shows the path at its widest, the one from the side its height.
    middle = true[order].mean(axis=0)
    _, _, directions = np.linalg.svd(true[order] - middle, full_matrices=False)
    for each, height, label in ((above, 1, "from above"), (aside, 2, "from the side")):
        for values, color, words in ((true, GREY, "true"), (found, BLUE, "estimated")):
            x, y = ((values[order] - middle) @ directions[[0, height]].T).T
            each.plot(x, y, color=color, lw=3 if color == GREY else 1.2, alpha=0.9, label=words)
        each.plot(*((true[order[:1]] - middle) @ directions[[0, height]].T).T, "o", color=GREEN, ms=6, label="start")
        each.set_aspect("equal", adjustable="datalim")
        each.set_xlabel(unit)
        each.set_title(f"{name} {label}", fontsize=9)
    above.legend(frameon=False, fontsize=8)
    frames = np.array([row["frame"] for row in rows])[order]
    drift.plot(frames, np.array([row["pose_error"] for row in rows])[order], color=BLUE, lw=1.2, label="estimated")
    drift.plot(frames, distances_of_line(true[order], frames), color=GREY, ls="--", lw=1, label="straight line")
    drift.set_ylim(bottom=0)
    drift.set_xlabel("frame")
    drift.set_ylabel(f"distance from the true place, {unit}")
    drift.legend(frameon=False, fontsize=8)


def distances_of_line(points: NDArray[np.float64], times: NDArray[Any]) -> NDArray[np.float64]:
    """Distance of each of points [N, 3] from the best motion of constant velocity."""
    basis = np.stack([np.ones(len(times)), times], axis=1).astype(np.float64)
    fit, *_ = np.linalg.lstsq(basis, points, rcond=None)
    return np.asarray(np.linalg.norm(basis @ fit - points, axis=1))


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
    _label_plainly(axes.xaxis)
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
    left.text(0.9 * end, 0.98 * end, "as honest as it can be", ha="right", va="top", color=GREY, fontsize=9)
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
        # Above the bars, where no line is.
        axes.legend(frameon=False, loc="lower right", bbox_to_anchor=(1, 1), ncols=2)
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


def _label_plainly(axis: Any) -> None:
    """1, 2, 3, 5, 10 … on a logarithmic axis, instead of powers of ten."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axis.set_major_locator(LogLocator(subs=(1, 2, 3, 5)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(NullLocator())


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


def _names(rows: Sequence[Row]) -> list[str]:
    """The recordings' names in order."""
    return list(dict.fromkeys(row["recording"] for row in rows))


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
