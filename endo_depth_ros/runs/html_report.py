"""report.html: one file that needs nothing else, for people who were not there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from endo_depth_ros.bags.image_folder import write_image
from endo_depth_ros.evaluation.contact_sheet import contact_sheet
from endo_depth_ros.evaluation.protocol import Protocol
from endo_depth_ros.runs.comparison import Comparison
from endo_depth_ros.runs.html_parts import figure_of, known, make_table, number
from endo_depth_ros.runs.path_report import PATH_PLOT, choose_paths, length_unit, path_parts
from endo_depth_ros.runs.plots import (
    plot_calibration,
    plot_comparison,
    plot_depths,
    plot_error_over_time,
    plot_latency,
    plot_path,
    plot_states,
)
from endo_depth_ros.runs.report_words import (
    ALIGNMENTS_IN_WORDS,
    CAPTIONS,
    FIGURES_IN_WORDS,
    GRID_CAPTION,
    LENGTHS,
    STYLE,
    WARNING,
)
from endo_depth_ros.runs.run_folder import PLOTS, REPORT, RecordingResult

GRID_ROWS_EACH = 2


def write_report(
    output: Path, metrics: Mapping[str, Any], protocol: Protocol, results: Sequence[RecordingResult]
) -> None:
    """Draw the plots into plots/ and write report.html with all of them inside."""
    plots = output / PLOTS
    plots.mkdir(exist_ok=True)
    rows = [row for result in results for row in result.rows]
    recordings = metrics["recordings"]
    plot_error_over_time(plots / "error_over_time.png", rows, metrics["headline"])
    plot_states(plots / "states.png", rows)
    plot_depths(plots / "depths.png", recordings)
    plot_calibration(plots / "sigma.png", recordings, protocol.unit)
    plot_latency(plots / "latency.png", rows)
    has_grid = write_grid(plots / "examples.png", results)
    shown = choose_paths(metrics)
    if shown:
        plot_path(plots / PATH_PLOT, [row for row in rows if row["recording"] in shown], length_unit(protocol))
    parts = [
        f"<h1>How well {escape(metrics['model']['name'])} measures</h1>",
        introduce(metrics),
        *notices(metrics),
        "<h2>Summary</h2>",
        table_of_errors(metrics, protocol),
        table_of_published(metrics, protocol),
        *([figure_of(plots / "examples.png", "Worst, typical and best frames", GRID_CAPTION)] if has_grid else []),
        *(figure_of(plots / name, title, caption) for name, title, caption in CAPTIONS),
        *path_parts(metrics, protocol, plots),
        table_of_recordings(metrics),
        details(metrics),
    ]
    write_page(output / REPORT, f"endo-depth evaluate: {protocol.name}", parts)


def write_comparison_report(output: Path, comparison: Comparison) -> None:
    """The same for two runs side by side."""
    plots = output / PLOTS
    plots.mkdir(exist_ok=True)
    plot_comparison(plots / "comparison.png", comparison)
    rows = [
        [
            name_figure(each.figure, comparison.a["protocol"]["unit"]),
            number(each.a),
            number(each.b),
            f"{number(each.difference, sign=True)}",
            f"{number(each.low, sign=True)} to {number(each.high, sign=True)}",
            each.verdict,
        ]
        for each in comparison.differences
    ]
    head = ["", "A", "B", "B − A", "95 % interval", "better"]
    models = [[f"{side} = {escape(name)}", *describe(run)] for side, name, run in (
        ("A", comparison.name_a, comparison.a), ("B", comparison.name_b, comparison.b),
    )]  # fmt: skip
    parts = [
        "<h1>Two runs on the same images</h1>",
        f"<p>{escape(comparison.summary)}</p>",
        *(f'<p class="note">{escape(note)}</p>' for note in comparison.notes),
        make_table(["run", "model", "weights", "path"], models),
        f"<p>Alignment: {escape(ALIGNMENTS_IN_WORDS.get(comparison.alignment, comparison.alignment))}. Intervals: "
        f"bootstrap over {comparison.blocks} blocks of neighbouring frames, since neighbours are alike. Where the "
        "interval holds zero, these images show no difference. Lower errors at lower coverage are no merit.</p>",
        make_table(head, rows),
        figure_of(
            plots / "comparison.png", "Error over time", "Relative error of every frame that both runs answered."
        ),
        f"<h2>Settings that differ</h2>{table_of_differences(comparison)}",
    ]
    write_page(output / REPORT, "endo-depth evaluate --compare", parts)


def table_of_differences(comparison: Comparison) -> str:
    """The settings that the two runs don't share."""
    rows = differing_settings(comparison)
    return make_table(["setting", "A", "B"], rows) if rows else "<p>None.</p>"


def write_grid(path: Path, results: Sequence[RecordingResult]) -> bool:
    """The worst, typical and best of all recordings' examples; False without any."""
    ranked = sorted((each for result in results for each in result.examples), key=lambda each: -each.abs_rel)
    if not ranked:
        return False
    middle = len(ranked) // 2
    places = {*range(GRID_ROWS_EACH), middle, *range(len(ranked) - GRID_ROWS_EACH, len(ranked))}
    chosen = [ranked[place].row for place in sorted(places) if 0 <= place < len(ranked)]
    write_image(path, contact_sheet(chosen, depth_title="depth (aligned)"))
    return True


def introduce(metrics: Mapping[str, Any]) -> str:
    """What was evaluated, and the outcome."""
    errors = metrics["depth"][metrics["headline"]]
    typical = f"{100 * errors['abs_rel']:.1f} %" if known(errors["abs_rel"]) else "unknown"
    alignment = escape(ALIGNMENTS_IN_WORDS.get(metrics["headline"], metrics["headline"]))
    unit = metrics["protocol"]["unit"]
    length = f" or {errors['mae']:.1f} {unit}" if known(errors["mae"]) and unit != "relative" else ""
    found = (
        f"Where it answers, depth is wrong by <b>{typical}{length}</b> on average ({alignment}); it answers "
        f"<b>{100 * errors['coverage']:.0f} %</b> of the pixels whose true depth is known."
        if metrics["images"]
        else "No image has a true depth: only the camera's path is compared."
    )
    return (
        f"<p>{metrics['frames']} frames of {counted(len(metrics['recordings']), 'recording')}, {metrics['images']} "
        f"with true depth, compared as in: {escape(metrics['protocol']['title'])}.</p><p>{found}</p>"
    )


def counted(count: int, what: str) -> str:
    """A number of things in words."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def notices(metrics: Mapping[str, Any]) -> list[str]:
    """What a reader must know before believing a figure."""
    texts = [WARNING, metrics["protocol"]["warning"]]
    texts += [f"{each['name']}: {note}" for each in metrics["recordings"] for note in each["notes"]]
    texts += [f"Failed: {each['name']}: {each['reason']}" for each in metrics["failures"]]
    return [f'<p class="note">{escape(text)}</p>' for text in dict.fromkeys(texts) if text]


def table_of_errors(metrics: Mapping[str, Any], protocol: Protocol) -> str:
    """Every figure under every alignment; coverage stands beside each."""
    names = list(
        dict.fromkeys([*protocol.headline, "abs_rel", "sq_rel", "rmse", "rmse_log", "delta1", "delta2", "delta3"])
    )
    names = [name for name in names if name in FIGURES_IN_WORDS]
    head = ["alignment", *(name_figure(name, protocol.unit) for name in names), "coverage"]
    rows = [
        [escape(ALIGNMENTS_IN_WORDS.get(a, a)), *(number(e[n]) for n in names), number(e["coverage"])]
        for a, e in metrics["depth"].items()
    ]
    temporal = metrics["temporal"]
    texts = []
    if known(metrics["flicker"]):
        texts.append(f"From image to image the scale of depth breathes by {100 * metrics['flicker']:.1f} % (flicker).")
    if temporal:
        texts.append(
            f"Neighbouring frames, moved onto each other by the true camera, differ by {number(temporal['tae'])} % "
            f"(TAE, {temporal['pairs']} pairs)."
        )
    unanswered = metrics["unanswered"]
    texts.append(
        f"{counted(unanswered, 'image')} got no answer at all." if unanswered else "Every image got an answer."
    )
    return f"{make_table(head, rows)}<p>{' '.join(texts)}</p>"


def table_of_published(metrics: Mapping[str, Any], protocol: Protocol) -> str:
    """The run's headline beside published figures of the same protocol."""
    if not protocol.published:
        return f"<p>Figures by: {escape(protocol.source)}. No published results belong to this protocol.</p>"
    names = [name for name in protocol.headline if name in FIGURES_IN_WORDS]
    ours = metrics["depth"][metrics["headline"]]
    rows = [
        [escape(each.method), *(number(each.figures.get(n)) for n in names), escape(" ".join([each.source, each.note]))]
        for each in protocol.published
        if any(name in each.figures for name in names)
    ]
    mine = [f"<b>this run: {escape(metrics['model']['name'])}</b>", *(f"<b>{number(ours[n])}</b>" for n in names)]
    head = ["method", *(name_figure(name, protocol.unit) for name in names), "source"]
    return (
        f"<h2>Beside published results</h2>{make_table(head, [[*mine, 'this report'], *rows])}"
        f"<p>Protocol: {escape(protocol.source)}.</p>"
    )


def table_of_recordings(metrics: Mapping[str, Any]) -> str:
    """A row for each recording."""
    rows = []
    for each in metrics["recordings"]:
        errors = each["depth"].get(metrics["headline"], {})
        shown = [number(errors.get(name)) for name in ("abs_rel", "rmse", "delta1", "coverage")]
        rows.append([escape(each["name"]), str(each["frames"]), str(each["images"]), *shown, number(each["flicker"])])
    unit = metrics["protocol"]["unit"]
    words = [name_figure(name, unit) for name in ("abs_rel", "rmse", "delta1")]
    return "<h2>Recordings</h2>" + make_table(
        ["recording", "frames", "with truth", *words, "coverage", "flicker"], rows
    )


def details(metrics: Mapping[str, Any]) -> str:
    """What somebody needs who wants to do it again."""
    model, times = metrics["model"], metrics["times"]
    rows = [
        ["protocol", f"{metrics['protocol']['name']}, errors in the pixels of the {metrics['protocol']['pixels']}"],
        ["model", model["name"]],
        ["weights", f"{model['weights']} (sha256 {model['weights_sha256']})" if model["weights"] else "none"],
        ["path", metrics["path"]],
        ["endo_depth_ros", metrics["endo_depth_ros"]],
        ["latency", f"{number(times['latency_p50_ms'])} ms (50 %), {number(times['latency_p99_ms'])} ms (99 %)"],
        *([name, str(value)] for name, value in metrics["settings"].items()),
    ]
    body = make_table(["", ""], [[escape(name), escape(value)] for name, value in rows])
    return f"<details><summary>Settings and origin</summary>{body}</details>"


def describe(run: Mapping[str, Any]) -> list[str]:
    """Model, weights and path of a run."""
    model = run["model"]
    digest = (model["weights_sha256"] or "")[:12]
    return [escape(model["name"]), f"{escape(model['weights'] or 'none')} {digest}", escape(run["path"])]


def differing_settings(comparison: Comparison) -> list[list[str]]:
    """Name and both values of settings that are not alike."""
    a, b = comparison.a["settings"], comparison.b["settings"]
    return [[n, escape(str(a.get(n))), escape(str(b.get(n)))] for n in {**a, **b} if a.get(n) != b.get(n)]


def name_figure(name: str, unit: str) -> str:
    """A figure's name with its unit and what is better."""
    return FIGURES_IN_WORDS[name] + (f", {unit}" if name in LENGTHS and unit != "relative" else "")


def write_page(path: Path, title: str, parts: Sequence[str]) -> None:
    """An HTML page that loads nothing."""
    body = "\n".join(parts)
    path.write_text(
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>\n'
        f"<body>\n{body}\n</body></html>\n"
    )
