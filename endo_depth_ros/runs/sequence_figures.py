"""The figures of one recording: errors, coverage, states, calibration, latency."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from endo_depth_ros.contracts import ScaleState
from endo_depth_ros.evaluation.calibration import (
    Calibration,
    SigmaCalibration,
    Sparsification,
    average_sparsification,
    sparsify,
)
from endo_depth_ros.evaluation.depth_alignment import DepthFit, median_or_nan
from endo_depth_ros.evaluation.depth_evaluation import DepthEvaluation, align_depth, evaluate_depth
from endo_depth_ros.evaluation.depth_metrics import DepthErrors, count_pixels
from endo_depth_ros.evaluation.protocol import UNITS, Protocol
from endo_depth_ros.evaluation.temporal import PixelConvention, PosedDepth, TemporalErrors, temporal_errors
from endo_depth_ros.runs.pose_figures import scaled
from endo_depth_ros.runs.prediction_store import PredictionStore, ProtocolPairs, StoredFrame

# Frames, evenly spread, and pixels of each, from which distributions are taken: enough for a curve, flat in memory.
SAMPLED_FRAMES, SAMPLED_PIXELS = 100, 40_000
HISTOGRAM_EDGES_M = np.geomspace(1e-4, 10.0, 151)


@dataclass(frozen=True)
class DepthHistogram:
    """Pixels in each bin of HISTOGRAM_EDGES_M, of predictions where truth counts, and of that truth."""

    prediction: tuple[int, ...]
    truth: tuple[int, ...]


@dataclass(frozen=True)
class SequenceFigures:
    """All figures of one recording in the protocol's unit.

    depth: mean errors by alignment, the headline's first. temporal: None without poses or where the protocol has none.
    calibration, sparsification, histogram: of a sample; the latter two of depth times `sample_scale`.
    """

    frames: int
    images: int
    without_truth: int
    unanswered: int
    verdicts: dict[str, int]
    scale_states: dict[str, int]
    depth: dict[str, DepthErrors]
    scale_per_sequence: float
    flicker: float
    scale_spread: float
    temporal: TemporalErrors | None
    calibration: Calibration
    sparsification: Sparsification | None
    histogram: DepthHistogram
    sample_scale: float
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Assessment:
    """Figures of a recording, a row a frame, and the headline's fit to each frame that has truth.

    relative: whether depth has no unit.
    """

    figures: SequenceFigures
    rows: list[dict[str, Any]]
    fits: dict[int, DepthFit]
    headline: str
    relative: bool


def assess(store: PredictionStore, protocol: Protocol, relative_truth: bool = False) -> Assessment:
    """All about the depth of the recording in the store. Raises SourceError for truth that does not fit its image."""
    relative = relative_truth or is_relative(store.frames)
    alignments = usable_alignments(protocol, relative)
    also_fit = set() if protocol.temporal is None else {protocol.temporal.alignment} - set(alignments)
    evaluation = evaluate_depth(ProtocolPairs(store, protocol), alignments, protocol.counting, list(also_fit))
    sample_scale = median_or_nan(list(evaluation.image_scales)) if relative else 1.0
    calibration, sparsification, histogram = _sample(store, protocol, evaluation, sample_scale)
    figures = SequenceFigures(
        frames=len(store.frames),
        images=len(evaluation.indices),
        without_truth=evaluation.without_truth,
        unanswered=evaluation.unanswered,
        verdicts=dict(Counter(frame.status.verdict.value for frame in store.frames)),
        scale_states=dict(Counter(frame.status.scale.state.value for frame in store.frames)),
        depth={name: evaluation.of(name).mean for name in alignments},
        scale_per_sequence=median_or_nan(list(evaluation.image_scales)),
        flicker=evaluation.flicker,
        scale_spread=evaluation.scale_spread,
        temporal=_temporal(store, protocol, evaluation),
        calibration=calibration,
        sparsification=sparsification,
        histogram=histogram,
        sample_scale=sample_scale,
        notes=_notes(protocol, alignments, relative),
    )
    fits = dict(zip(evaluation.indices, evaluation.fits[alignments[0]], strict=True))
    rows = frame_rows(store, evaluation, alignments)
    return Assessment(figures, rows, fits, alignments[0], relative)


def is_relative(frames: Sequence[StoredFrame]) -> bool:
    """Whether nothing is known about the scale of any depth."""
    states = {frame.status.scale.state for frame in frames if frame.camera is not None}
    return bool(states) and states == {ScaleState.RELATIVE}


def usable_alignments(protocol: Protocol, relative: bool) -> tuple[str, ...]:
    """The protocol's alignments; errors in metres of depth without a unit mean nothing and are left out."""
    kept = tuple(name for name in protocol.alignments if not (relative and name == "none"))
    return kept or ("sequence_median",)


def frame_rows(store: PredictionStore, evaluation: DepthEvaluation, alignments: Sequence[str]) -> list[dict[str, Any]]:
    """One row a frame: its state, and its errors by alignment as 'image_median.abs_rel'."""
    place = {index: position for position, index in enumerate(evaluation.indices)}
    rows = []
    for frame in store.frames:
        status = frame.status
        row: dict[str, Any] = {
            "frame": frame.number,
            "stamp_ns": status.stamp_ns,
            "verdict": status.verdict.value,
            "scale_state": status.scale.state.value,
            "field_of_view_coverage": status.coverage,
            "latency_ms": frame.latency_ms,
            "image_scale": math.nan,
            "reason": status.reason,
        }
        if frame.number in place:
            row["image_scale"] = evaluation.image_scales[place[frame.number]]
        for name in alignments:
            errors = evaluation.of(name).images[place[frame.number]] if frame.number in place else None
            for field in dataclasses.fields(DepthErrors):
                row[f"{name}.{field.name}"] = math.nan if errors is None else getattr(errors, field.name)
        rows.append(row)
    return rows


def _sample(
    store: PredictionStore, protocol: Protocol, evaluation: DepthEvaluation, scale: float
) -> tuple[Calibration, Sparsification | None, DepthHistogram]:
    """Sigma against error, and depths as they are distributed, over a sample of pixels in the prediction's view."""
    calibration, sparsifications = SigmaCalibration(), []
    counts = np.zeros((2, len(HISTOGRAM_EDGES_M) - 1), np.int64)
    answered = [i for i in evaluation.indices if store.frames[i].camera is not None]
    chosen = np.unique(np.linspace(0, len(answered) - 1, min(SAMPLED_FRAMES, len(answered))).round().astype(int))
    for number in [answered[place] for place in chosen]:
        maps, truth = store.maps(number), store.truth_in_prediction(number)
        assert maps is not None
        step = max(1, math.ceil(math.sqrt(truth.size / SAMPLED_PIXELS)))
        depth, sigma, truth = (
            protocol.in_unit(values[::step, ::step]) for values in (maps.depth * scale, maps.sigma * scale, truth)
        )
        counted, _ = count_pixels(depth, truth, protocol.counting)
        truth = np.where(counted, truth, np.nan)
        calibration.add(depth, sigma, truth)
        sparsifications.append(sparsify(depth, sigma, truth))
        metres = 1 / float(protocol.in_unit(np.ones(1))[0])
        for place, values in enumerate((depth[counted], truth[counted])):
            known = values[np.isfinite(values) & (values > 0)] * metres
            counts[place] += np.histogram(known, HISTOGRAM_EDGES_M)[0]
    found = [each for each in sparsifications if each is not None]
    histogram = DepthHistogram(tuple(counts[0].tolist()), tuple(counts[1].tolist()))
    return calibration.result(), average_sparsification(found), histogram


def _temporal(store: PredictionStore, protocol: Protocol, evaluation: DepthEvaluation) -> TemporalErrors | None:
    posed = sum(frame.T_world_camera is not None for frame in store.frames)
    if protocol.temporal is None or posed < 2:
        return None
    fits = dict(zip(evaluation.indices, evaluation.fits[protocol.temporal.alignment], strict=True))
    convention = PixelConvention(protocol.temporal.convention)
    return temporal_errors(_posed(store, protocol, fits), convention)


def _posed(store: PredictionStore, protocol: Protocol, fits: dict[int, DepthFit]) -> Iterator[PosedDepth]:
    """Aligned depth of every frame in its rectified pinhole; one that lacks anything parts its neighbours."""
    for frame in store.frames:
        depth = store.depth(frame.number) if frame.number in fits and frame.T_world_camera is not None else None
        if depth is None or frame.camera is None:
            yield PosedDepth(np.full((1, 1), np.nan), np.zeros((1, 1), bool), np.eye(3), np.eye(4))
            continue
        truth = protocol.in_unit(store.truth_in_prediction(frame.number))
        aligned = align_depth(protocol.in_unit(depth), fits[frame.number], protocol.counting)
        counted, _ = count_pixels(aligned, truth, protocol.counting)
        yield PosedDepth(aligned, counted, frame.camera.K, scaled(frame.true_pose(), 1 / UNITS[protocol.unit]))


def _notes(protocol: Protocol, alignments: tuple[str, ...], relative: bool) -> tuple[str, ...]:
    if relative and "none" in protocol.alignments:
        return (f"depth has no unit here: errors in metres are left out, the headline is of '{alignments[0]}'",)
    return ()
