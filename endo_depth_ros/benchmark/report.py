"""A benchmark as JSON for machines and as a table for people."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from endo_depth_ros.benchmark.figures import InProcess, OverGraph, Percentiles, RunResult
from endo_depth_ros.benchmark.machine_facts import MachineFacts

SCHEMA = "endo_depth_ros.benchmark.1"


@dataclass(frozen=True)
class Report:
    """All that was measured, and what the figures depend on.

    weights_sha256: '' for models without weights. source: where the images come from. absent: runtime to the reason
    why it wasn't measured.
    """

    measured_at: str
    version: str
    machine: MachineFacts
    versions: dict[str, str]
    model: str
    weights: str
    weights_sha256: str
    settings: dict[str, Any]
    source: str
    encoding: str
    warm_up_frames: int
    results: tuple[RunResult, ...]
    absent: dict[str, str]


def to_json(report: Report) -> str:
    """The report as a JSON object; docs/benchmarks.md says what is in it."""
    return json.dumps({"schema": SCHEMA, **asdict(report)}, indent=2, allow_nan=False) + "\n"


def to_table(report: Report) -> str:
    """The report for a terminal."""
    machine = report.machine
    hardware = f"{machine.cpu}, {machine.cores} cores, {machine.memory_mb / 1e3:.0f} GB, {machine.gpu or 'no GPU'}"
    weights = f", weights {report.weights} (sha256 {report.weights_sha256[:12]})" if report.weights else ""
    lines = [
        hardware,
        f"model {report.model}{weights}; {report.encoding} images, {report.source}",
        f"milliseconds of frames with depth, after {report.warm_up_frames} frames for warming up",
    ]
    for result in report.results:
        lines += ["", *_block(result)]
    if report.absent:
        lines += ["", *(f"{runtime}: not measured: {obstacle}" for runtime, obstacle in report.absent.items())]
    return "\n".join(lines)


def _block(result: RunResult) -> list[str]:
    found = result.in_process
    threads = "" if found.peak_gpu_mb else f", {result.threads} threads"
    lines = [
        f"{result.runtime} {result.precision}{threads}: {result.width}x{result.height} in, "
        f"depth {found.depth_width}x{found.depth_height}",
        f"  {'':<12}{'p50':>9}{'p95':>9}{'p99':>9}",
        *(_row(stage, figures) for stage, figures in found.stages.items()),
        _row("end to end", found.end_to_end),
        f"  {_counts(found)}; {found.throughput_hz:.1f} frames/s; peak memory {found.peak_rss_mb:.0f} MB"
        + (f", GPU {found.peak_gpu_mb:.0f} MB" if found.peak_gpu_mb else ""),
    ]
    if found.publish_obstacle:
        lines.append(f"  publish: not measured: {found.publish_obstacle}")
    if result.over_graph is not None:
        lines += _graph_lines(result.over_graph)
    return lines


def _graph_lines(graph: OverGraph) -> list[str]:
    return [
        _row("over DDS", graph.end_to_end),
        f"  {graph.answered} of {graph.sent} frames answered at {graph.rate_hz:g} Hz, {graph.node_dropped} dropped; "
        f"inside depth_node p50 {graph.inside_node_p50_ms:.2f}, p99 {graph.inside_node_p99_ms:.2f}",
        f"  subscribed: {', '.join(graph.topics)}",
    ]


def _row(name: str, figures: Percentiles) -> str:
    return f"  {name:<12}{figures.p50_ms:>9.2f}{figures.p95_ms:>9.2f}{figures.p99_ms:>9.2f}"


def _counts(found: InProcess) -> str:
    return f"{found.frames} frames, " + ", ".join(f"{count} {verdict}" for verdict, count in found.verdicts.items())
