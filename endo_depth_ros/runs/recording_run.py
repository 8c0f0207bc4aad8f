"""One recording from its answers to its figures, rows and examples."""

from __future__ import annotations

import dataclasses
import math
import tempfile
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from endo_depth_ros.bags.source import SourceError
from endo_depth_ros.evaluation.contact_sheet import SheetRow
from endo_depth_ros.evaluation.depth_evaluation import align_depth
from endo_depth_ros.evaluation.protocol import UNITS, Protocol
from endo_depth_ros.pose.pipeline import PoseUnavailableError
from endo_depth_ros.pose.settings import PoseSettings
from endo_depth_ros.runs.map_file import MapFile
from endo_depth_ros.runs.pose_figures import PoseAssessment, assess_poses
from endo_depth_ros.runs.prediction_store import Answer, PredictionStore
from endo_depth_ros.runs.recordings import Recording
from endo_depth_ros.runs.run_folder import Example, RecordingResult
from endo_depth_ros.runs.sequence_figures import Assessment, assess
from endo_depth_ros.runs.tracking import track_frames

EXAMPLES_EACH = 2


def evaluate_recording(
    recording: Recording,
    answers: Generator[Answer, None, None],
    protocol: Protocol,
    max_frames: int | None,
    scratch: Path,
    pose: PoseSettings | None = None,
    refines: bool = False,
) -> RecordingResult:
    """Figures of the answers to a recording against its truth; predictions lie in `scratch` meanwhile, some GB an hour.

    answers: closed when all are there or something goes wrong. pose: how the camera is followed where true poses are
    known; None where answers tell, or to leave poses out. refines: whether depth is what the camera's motion makes of
    it, which needs `pose`. Raises SourceError for a recording without frames or truth, and PoseUnavailableError.
    """
    if refines and pose is None:
        raise ValueError("depth can't be refined without following the camera; give `pose`")
    start_s = time.perf_counter()
    with (
        tempfile.TemporaryDirectory(prefix=".predictions.", dir=scratch) as folder,
        MapFile(Path(folder) / "maps") as file,
    ):
        store = PredictionStore(file)
        with threads_beside(store) as beside:
            # Truth is read and the camera followed while the model works on later frames.
            bringing = beside.submit(store.add_truths, recording.truths())
            following = beside.submit(follow_camera, store, pose, refines)
            with closing(answers):
                for answered in islice(answers, max_frames):
                    store.add(answered)
                    for beside_it in (bringing, following):
                        if beside_it.done():
                            beside_it.result()
            if not store.frames:
                raise SourceError(f"{recording.name}: there is no frame to evaluate; check the recording")
            store.end()
            bringing.result()
            if refines:  # what is assessed isn't there before
                following.result()
            assessment = assess(store, protocol, recording.relative_truth)
            pose_notes = following.result()
        if not assessment.figures.images and any(frame.has_truth for frame in store.frames):
            raise SourceError(f"{recording.name}: {nothing_counts(protocol)}")
        path = assess_poses(store.frames, protocol, assessment.relative)
        examples = choose_examples(store, protocol, assessment, recording.name)
    facts = facts_of(recording, protocol, assessment, path, pose_notes)
    facts["times"]["wall_s"] = time.perf_counter() - start_s
    rows = [
        {"recording": recording.name, **row, **of_pose} for row, of_pose in zip(assessment.rows, path.rows, strict=True)
    ]
    return RecordingResult("", facts, rows, examples)


def nothing_counts(protocol: Protocol) -> str:
    """What to say where true depth is there but no pixel of it counts."""
    if protocol.min_depth <= 0 and math.isinf(protocol.max_depth):
        return "its true depth is nowhere a positive number; check how it was recorded"
    return (
        f"no pixel's true depth lies within {protocol.min_depth:g} and {protocol.max_depth:g} {protocol.unit}, which "
        f"protocol {protocol.name} counts; choose another --protocol"
    )


def facts_of(
    recording: Recording, protocol: Protocol, assessment: Assessment, path: PoseAssessment, notes: list[str]
) -> dict[str, Any]:
    """The recording's part of metrics.json."""
    figures = dataclasses.asdict(assessment.figures)
    # Depth can be refined without true poses; then there is no path to speak of.
    was_followed = bool(path.figures.states) and path.figures.frames > 0
    latencies_ms = [row["latency_ms"] for row in assessment.rows if math.isfinite(row["latency_ms"])]
    path_notes = path.figures.notes if was_followed else ()
    return {
        "name": recording.name,
        "dataset": recording.dataset,
        "headline": assessment.headline,
        **figures,
        "pose": dataclasses.asdict(path.figures) if was_followed else None,
        "notes": [*recording.notes, *figures["notes"], *notes, *path_notes, *notes_on_protocol(recording, protocol)],
        "times": {"latency_p50_ms": _median(latencies_ms)},
    }


@contextmanager
def threads_beside(store: PredictionStore) -> Iterator[ThreadPoolExecutor]:
    """Threads that work on the store; where something goes wrong, they come to an end soon."""
    with ThreadPoolExecutor() as pool:
        try:
            yield pool
        except BaseException:
            store.abandon()
            raise


def follow_camera(store: PredictionStore, settings: PoseSettings | None, refines: bool) -> list[str]:
    """Poses for the frames of the store where true ones are known, or depth is refined; notes on what that gave."""
    if settings is not None and refines:
        count = track_frames(store, settings, refines=True)
        return [f"depth is as the camera's motion has it in {count} of {len(store.frames)} frames (--refined)"]
    if settings is None or not store.wait_for_pose():
        return []
    try:
        track_frames(store, settings)
    except PoseUnavailableError as error:
        return [f"only depth was evaluated: {error}"]
    return []


def notes_on_protocol(recording: Recording, protocol: Protocol) -> list[str]:
    """A warning where published figures of the protocol are of other images."""
    if protocol.dataset in ("", recording.dataset):
        return []
    return [
        f"published figures of protocol {protocol.name} are of the data set {protocol.dataset}, as which this "
        "recording was not read: no comparison unless it is a bag made of that"
    ]


def choose_examples(store: PredictionStore, protocol: Protocol, assessment: Assessment, name: str) -> list[Example]:
    """The worst, the median and the best frames by AbsRel of the headline, worst first."""
    column = f"{assessment.headline}.abs_rel"
    ranked = sorted(
        (row for row in assessment.rows if math.isfinite(row[column])), key=lambda row: row[column], reverse=True
    )
    places = np.unique([*range(EXAMPLES_EACH), len(ranked) // 2, *range(len(ranked) - EXAMPLES_EACH, len(ranked))])
    chosen = [ranked[place] for place in places if 0 <= place < len(ranked)]
    return [_example(store, protocol, assessment, row, name) for row in chosen]


def _example(
    store: PredictionStore, protocol: Protocol, assessment: Assessment, row: dict[str, Any], name: str
) -> Example:
    """Depth as the headline aligns it, in metres."""
    number, unit_m = row["frame"], UNITS[protocol.unit]
    maps, truth = store.maps(number), store.truth_in_prediction(number)
    assert maps is not None
    fit = assessment.fits[number]
    depth = (align_depth(protocol.in_unit(maps.depth), fit, protocol.counting) * unit_m).astype(np.float32)
    sigma = None if fit.in_disparity else maps.sigma * np.float32(fit.scale)
    error = row[f"{assessment.headline}.abs_rel"]
    coverage = row[f"{assessment.headline}.coverage"]
    label = f"{name} {number}: error {100 * error:.1f} %, coverage {100 * coverage:.0f} %"
    return Example(error, SheetRow(label, maps.image, depth, truth, sigma))


def _median(values: list[float]) -> float:
    return float(np.median(values)) if values else math.nan
