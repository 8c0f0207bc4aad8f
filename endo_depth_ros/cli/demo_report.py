"""What the demo leaves: the evaluation's report, a contact sheet, a preview video, and where to look."""

from __future__ import annotations

import math
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.bags.image_folder import write_image
from endo_depth_ros.bags.readable_frames import mean_fps
from endo_depth_ros.bags.rosbag_source import RosbagSource
from endo_depth_ros.cli.demo_path import write_path
from endo_depth_ros.cli.evaluate import write_run
from endo_depth_ros.cli.main import installed_version
from endo_depth_ros.cli.preview_video import PreviewVideo
from endo_depth_ros.contracts import DepthEstimate, Frame, ScaleState
from endo_depth_ros.evaluation.contact_sheet import MILLIMETRES, DepthUnit, SheetRow, contact_sheet
from endo_depth_ros.evaluation.protocol import load_protocol
from endo_depth_ros.evaluation.recording import RecordedFrame, read_recording, read_truth
from endo_depth_ros.evaluation.truth import rectify_truth
from endo_depth_ros.geometry.camera import Camera
from endo_depth_ros.json_file import write_json
from endo_depth_ros.nodes.frame_messages import frame_status
from endo_depth_ros.pose.settings import PoseSettings
from endo_depth_ros.runs.pooling import SCHEMA_VERSION, pool
from endo_depth_ros.runs.prediction_store import Answer
from endo_depth_ros.runs.recording_run import evaluate_recording
from endo_depth_ros.runs.recordings import BagRecording
from endo_depth_ros.runs.run_folder import METRICS
from endo_depth_ros.runs.truth_topics import TruthTopics

CONTACT_SHEET, PREVIEW = "contact_sheet.png", "preview.mp4"
SHEET_ROWS = 5
UNITLESS = DepthUnit("units", 1.0)
Truth = dict[int, tuple[NDArray[np.float32], Camera]]


class NoAnswerError(RuntimeError):
    """The nodes published nothing that could be reported."""


def write_report(folder: Path, input_bag: Path, output_bag: Path) -> str:
    """Write the report's files into the folder; returns the text that says what they are.

    Raises SourceError for unreadable bags, NoAnswerError when no frame was answered.
    """
    frames = read_recording(output_bag)
    answered = [frame for frame in frames if is_complete(frame)]
    if not answered:
        raise NoAnswerError(f"{output_bag}: no frame was answered with depth; look into {folder / 'logs'}")
    truth = truth_of(answered, read_truth(input_bag))
    facts = summarise(frames, answered)
    metrics = evaluate(folder, input_bag, frames, facts) if truth else {**facts, "depth": None}
    path_words = describe_path(metrics["pose"]) if truth else follow_camera(folder, frames)
    if not truth:
        write_json(folder / METRICS, metrics)
    write_sheet(folder / CONTACT_SHEET, answered, truth, metrics)
    write_preview(folder / PREVIEW, answered)
    return describe(folder, output_bag, metrics, path_words)


def evaluate(folder: Path, input_bag: Path, frames: list[RecordedFrame], facts: dict[str, Any]) -> dict[str, Any]:
    """The report of endo-depth evaluate on what the nodes published; returns its metrics, with the demo's facts.

    The camera is followed here, by the tracker of pose_node on the depth that was published.
    """
    protocol = load_protocol("default")
    recording = BagRecording("demo", input_bag, RosbagSource(input_bag), TruthTopics())
    answers = (answer_of(frame) for frame in frames)
    result = evaluate_recording(recording, answers, protocol, None, folder, PoseSettings())
    model = {"name": facts["model"], "weights": None, "weights_sha256": None}
    run = {**facts, "model": model, "path": "nodes over DDS", "settings": {}, "failures": []}
    metrics = pool([result], protocol, run)
    write_run(folder, metrics, protocol, [result])
    return metrics


def follow_camera(folder: Path, frames: list[RecordedFrame]) -> list[str]:
    """The camera's path where nobody knows the true one; the lines that tell of it."""
    unit = UNITLESS if is_relative(frames) else MILLIMETRES
    return write_path(folder, (answer_of(frame).depth for frame in frames), unit)


def answer_of(frame: RecordedFrame) -> Answer:
    """What was published about a frame as the core's own types, and its latency."""
    depth = estimate_of(frame) if is_complete(frame) else frame_status(frame.stamp_ns, frame.status)
    return Answer(depth, float(frame.status.get("latency_ms", "nan")))


def is_complete(frame: RecordedFrame) -> bool:
    """Whether the frame was answered with everything that a report shows."""
    return frame.depth is not None and frame.image is not None and frame.camera is not None


def truth_of(frames: list[RecordedFrame], truth: Truth) -> dict[int, NDArray[np.float32]]:
    """True depth in the pixels of each frame's depth, by stamp, metres."""
    found = {}
    for frame in frames:
        if frame.stamp_ns in truth and frame.camera is not None:
            found[frame.stamp_ns] = rectify_truth(*truth[frame.stamp_ns], frame.camera)
    return found


def depth_of(frame: RecordedFrame) -> NDArray[np.float32]:
    """The depth of a complete frame."""
    assert frame.depth is not None
    return frame.depth


def summarise(frames: list[RecordedFrame], answered: list[RecordedFrame]) -> dict[str, Any]:
    """What metrics.json says whether there is truth or not."""
    latencies_ms = [float(frame.status["latency_ms"]) for frame in frames if "latency_ms" in frame.status]
    return {
        "schema_version": SCHEMA_VERSION,
        "endo_depth_ros": installed_version(),
        "frames": len(frames),
        "frames_with_depth": len(answered),
        "verdicts": dict(Counter(frame.status["verdict"] for frame in frames)),
        "scale_states": dict(Counter(frame.status["scale_state"] for frame in frames)),
        "model": answered[0].status["model"],
        "device": answered[0].status["device"],
        "mean_coverage_of_field_of_view": float(np.mean([float(frame.status["coverage"]) for frame in answered])),
        "dropped_frames": int(frames[-1].status["dropped_frames"]),
        "times": {"latency_p50_ms": float(np.median(latencies_ms)) if latencies_ms else math.nan},
        "calibrated": all(frame.status["calibrated"] == "true" for frame in answered),
    }


def is_relative(frames: list[RecordedFrame]) -> bool:
    """Whether nothing is known about the scale."""
    return all(frame.status["scale_state"] == ScaleState.RELATIVE.value for frame in frames)


def write_sheet(
    path: Path, frames: list[RecordedFrame], truth: dict[int, NDArray[np.float32]], metrics: dict[str, Any]
) -> None:
    """A few frames, evenly spread; relative depth is brought to the truth by the one scale of the sequence."""
    chosen = [frames[i] for i in np.unique(np.linspace(0, len(frames) - 1, SHEET_ROWS).round().astype(int))]
    scaled = bool(truth) and is_relative(frames)
    scale = metrics["recordings"][0]["scale_per_sequence"] if scaled else 1.0
    rows = [
        SheetRow(
            f"frame {frames.index(frame)}  {frame.status['verdict']}",
            image_of(frame),
            depth_of(frame) * np.float32(scale),
            truth.get(frame.stamp_ns),
            None if frame.sigma is None else frame.sigma * np.float32(scale),
        )
        for frame in chosen
    ]
    in_metres = scaled or not is_relative(frames)
    title = "depth (scaled to truth)" if scaled else "depth"
    sheet = contact_sheet(rows, MILLIMETRES if in_metres else UNITLESS, title)
    write_image(path, sheet)


def image_of(frame: RecordedFrame) -> NDArray[np.uint8]:
    """The colour image of a complete frame."""
    assert frame.image is not None
    return frame.image


def write_preview(path: Path, frames: list[RecordedFrame]) -> None:
    """Colour beside depth at the rate of the stamps."""
    with closing(PreviewVideo(path, mean_fps([frame.stamp_ns for frame in frames]))) as video:
        for frame in frames:
            video.write(estimate_of(frame))


def estimate_of(frame: RecordedFrame) -> DepthEstimate:
    """A complete recorded frame as the core's own type."""
    assert frame.camera is not None
    depth = depth_of(frame)
    sigma = np.full_like(depth, np.nan) if frame.sigma is None else frame.sigma
    return DepthEstimate(
        Frame(frame.stamp_ns, "", image_of(frame), frame.camera),
        depth,
        sigma,
        frame_status(frame.stamp_ns, frame.status),
    )


def describe_path(pose: dict[str, Any] | None) -> list[str]:
    """What became of the camera's path; nothing where too little of it is known."""
    if not pose or not math.isfinite(pose["ate_percent"]):
        return []
    return [
        f"Camera path: off by {pose['ate_percent']:.1f} % of its length (a straight line: "
        f"{pose['straight_line_percent']:.1f} %), known in {pose['pose_coverage']:.0%} of the frames."
    ]


def describe(folder: Path, output_bag: Path, metrics: dict[str, Any], path_words: list[str]) -> str:
    """The demo's last words. path_words: those on the camera's path."""
    model = metrics["model"]["name"] if metrics["depth"] else metrics["model"]
    lines = [
        "",
        f"{metrics['frames_with_depth']} of {metrics['frames']} frames have depth, on "
        f"{metrics['mean_coverage_of_field_of_view']:.0%} of the field of view; model {model} on "
        f"{metrics['device']}, {metrics['times']['latency_p50_ms']:.1f} ms from receipt to the last message (p50).",
    ]
    if metrics["depth"]:
        each, one = metrics["depth"]["image_median"], metrics["depth"]["sequence_median"]
        unscaled = metrics["depth"].get("none")
        in_metres = f"{unscaled['abs_rel']:.3f} in metres" if unscaled else "unknown in metres"
        lines.append(
            f"Against the truth: AbsRel {each['abs_rel']:.3f} with a scale per image, {one['abs_rel']:.3f} with one "
            f"for all, {in_metres}; δ1 {each['delta1']:.2f}, coverage {each['coverage']:.2f}, flicker "
            f"{metrics['flicker']:.3f}."
        )
    lines += path_words
    if set(metrics["scale_states"]) == {"relative"}:
        lines.append("The scale is unknown: depth is relative, not metres. Do not measure in it.")
    lines += [
        f"  {folder / 'contact_sheet.png'}   look here first: black or hatched is what can't be trusted",
        f"  {folder / 'preview.mp4'}         colour beside depth",
        *([f"  {folder / 'report.html'}         errors against the truth"] if metrics["depth"] else []),
        f"  {folder / 'metrics.json'}        figures",
        f"  {output_bag}         what the nodes published: open it in Foxglove, or endo-depth replay",
    ]
    return "\n".join(lines)
