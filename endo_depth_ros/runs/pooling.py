"""The recordings of a run as one: means over all images with equal weight, as published tables have them."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from endo_depth_ros.evaluation.depth_metrics import DepthErrors
from endo_depth_ros.evaluation.protocol import Protocol
from endo_depth_ros.runs.requirements import Requirement, RequirementError, plain_name
from endo_depth_ros.runs.run_folder import RecordingResult, Row

SCHEMA_VERSION = 1
SIGMA_FIGURES = "within_1_sigma", "within_2_sigma", "recalibration", "ause", "aurg"
RUN_FIGURES = "flicker", "scale_spread"
TEMPORAL_FIGURES = "tae", "tas"
# Of the camera path; lengths in the protocol's unit.
PATH_FIGURES = (
    "ate", "ate_percent", "straight_line_ate", "straight_line_percent", "rpe_frame", "rpe_frame_deg", "rpe_path",
    "rpe_path_deg",
)  # fmt: skip
SNIPPET_FIGURES = {"snippet_ate": "ate", "snippet_rotation": "rotation_rad", "snippet_standstill": "standstill_ate"}
POSE_FIGURES = "pose_coverage", *PATH_FIGURES, *SNIPPET_FIGURES
FIGURES = [field.name for field in dataclasses.fields(DepthErrors)]


def pool(results: Sequence[RecordingResult], protocol: Protocol, run: Mapping[str, Any]) -> dict[str, Any]:
    """The contents of metrics.json. run: what was evaluated with which settings, failures, times."""
    rows = [row for result in results for row in result.rows]
    facts = [result.facts for result in results]
    headline = facts[0]["headline"]
    alignments = [name for name in facts[0]["depth"] if all(name in each["depth"] for each in facts)]
    latencies_ms = _known([row["latency_ms"] for row in rows])
    times = {
        **run.get("times", {}),
        "latency_p50_ms": _percentile(latencies_ms, 50),
        "latency_p99_ms": _percentile(latencies_ms, 99),
        "recordings": {each["name"]: each["times"] for each in facts},
    }
    return {
        "schema_version": SCHEMA_VERSION,
        **run,
        "protocol": {
            name: getattr(protocol, name) for name in ("name", "title", "source", "unit", "pixels", "warning")
        },
        "headline": headline,
        "frames": sum(each["frames"] for each in facts),
        "images": sum(each["images"] for each in facts),
        "without_truth": sum(each["without_truth"] for each in facts),
        "unanswered": sum(each["unanswered"] for each in facts),
        "verdicts": _sum_counts([each["verdicts"] for each in facts]),
        "scale_states": _sum_counts([each["scale_states"] for each in facts]),
        "depth": {name: mean_errors(rows, name) for name in alignments},
        "flicker": _mean([each["flicker"] for each in facts]),
        "scale_spread": _mean([each["scale_spread"] for each in facts]),
        "temporal": _pool_temporal([each["temporal"] for each in facts]),
        "sigma": _pool_sigma(facts),
        "pose": pool_poses([each["pose"] for each in facts]),
        "recordings": [{name: value for name, value in each.items() if name != "times"} for each in facts],
        "times": times,
    }


def mean_errors(rows: Sequence[Row], alignment: str) -> dict[str, float]:
    """Mean of each figure over the images that have it, under one alignment; NaN where none has."""
    return {name: _mean([row[f"{alignment}.{name}"] for row in rows]) for name in FIGURES}


def figures_by_name(metrics: Mapping[str, Any]) -> dict[str, float]:
    """What requirements may ask for: the headline's errors, those of 'alignment.figure', and the run's own."""
    figures = {plain_name(name): value for name, value in metrics["depth"][metrics["headline"]].items()}
    for alignment, errors in metrics["depth"].items():
        figures.update({plain_name(f"{alignment}.{name}"): value for name, value in errors.items()})
    temporal = metrics["temporal"] or {}
    others = {**metrics["sigma"], "flicker": metrics["flicker"], "scale_spread": metrics["scale_spread"]}
    figures.update({plain_name(name): others[name] for name in (*SIGMA_FIGURES, *RUN_FIGURES)})
    figures.update({name: temporal.get(name) for name in TEMPORAL_FIGURES})
    path = metrics["pose"] or {}
    figures.update({plain_name(name): path.get(name) for name in POSE_FIGURES})
    return {name: math.nan if value is None else float(value) for name, value in figures.items()}


def check_known(requirements: Sequence[Requirement], protocol: Protocol) -> None:
    """Raise RequirementError for a figure that no run by this protocol has."""
    aligned = {plain_name(f"{alignment}.{name}") for alignment in protocol.alignments for name in FIGURES}
    known = [plain_name(name) for name in (*FIGURES, *SIGMA_FIGURES, *RUN_FIGURES, *TEMPORAL_FIGURES, *POSE_FIGURES)]
    for requirement in requirements:
        if requirement.figure not in known and requirement.figure not in aligned:
            alignments = ", ".join(plain_name(alignment) for alignment in protocol.alignments)
            raise RequirementError(
                f"--require: there is no figure '{requirement.figure}'; known: {', '.join(known)}, and by protocol "
                f"{protocol.name} those of one alignment ({alignments}) such as {plain_name(protocol.alignment)}.absrel"
            )


def pool_poses(parts: Sequence[Mapping[str, Any] | None]) -> dict[str, Any] | None:
    """Means over recordings whose camera was followed: coverage over frames, windows by their number; None without."""
    known = [part for part in parts if part]
    if not known:
        return None
    paths = [path_figures(part) for part in known]
    snippets = [part["snippets"] for part in known if part["snippets"] and part["snippets"]["windows"]]
    windows = [each["windows"] for each in snippets]
    return {
        "recordings": len(known),
        "frames": sum(part["frames"] for part in known),
        "tracked": sum(part["tracked"] for part in known),
        "pose_coverage": sum(part["tracked"] for part in known) / sum(part["frames"] for part in known),
        "states": _sum_counts([part["states"] for part in known]),
        "segments": sum(part["segments"] for part in known),
        **{name: _mean([path.get(name) for path in paths]) for name in PATH_FIGURES},
        **{
            name: float(np.average([each[key] for each in snippets], weights=windows)) if windows else math.nan
            for name, key in SNIPPET_FIGURES.items()
        },
    }


def path_figures(pose: Mapping[str, Any]) -> dict[str, float]:
    """PATH_FIGURES of a recording under the first alignment of its path; empty where there is none."""
    errors = next(iter(pose["trajectory"].values()), None)
    if errors is None:
        return {}
    return {
        **{name: errors[name] for name in PATH_FIGURES[:4]},
        "rpe_frame": errors["rpe_frame"]["translation"],
        "rpe_frame_deg": errors["rpe_frame"]["rotation_deg"],
        "rpe_path": errors["rpe_path"]["translation"],
        "rpe_path_deg": errors["rpe_path"]["rotation_deg"],
    }


def _pool_temporal(parts: Sequence[Mapping[str, Any] | None]) -> dict[str, Any] | None:
    known = [part for part in parts if part and part["pairs"]]
    if not known:
        return None
    pairs = [part["pairs"] for part in known]
    means = {name: float(np.average([part[name] for part in known], weights=pairs)) for name in TEMPORAL_FIGURES}
    return {**means, "pairs": sum(pairs), "convention": known[0]["convention"]}


def _pool_sigma(facts: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Calibration and sparsification, a mean over the recordings."""
    calibrations = [each["calibration"] for each in facts]
    sparsifications = [each["sparsification"] or {} for each in facts]
    figures = {name: _mean([each[name] for each in calibrations]) for name in SIGMA_FIGURES[:3]}
    return {**figures, **{name: _mean([each.get(name) for each in sparsifications]) for name in SIGMA_FIGURES[3:]}}


def _sum_counts(parts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part)
    return dict(sorted(total.items()))


def _known(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None and math.isfinite(value)]


def _mean(values: Sequence[float | None]) -> float:
    known = _known(values)
    return float(np.mean(known)) if known else math.nan


def _percentile(values: Sequence[float], percent: float) -> float:
    return float(np.percentile(values, percent)) if values else math.nan
