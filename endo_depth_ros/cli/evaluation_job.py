"""One recording to evaluate, as it is sent to the process that does it, here or on another machine."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from tqdm import tqdm

from endo_depth_ros.bags.camera_yaml import read_camera
from endo_depth_ros.bags.rosbag_source import RosbagSource
from endo_depth_ros.bags.source import SourceError, SourceFrame
from endo_depth_ros.bags.topics import TRUTH_DEPTH
from endo_depth_ros.datasets.catalog import find_sequences
from endo_depth_ros.datasets.split_file import read_split
from endo_depth_ros.datasets.truth_sequence import ReadOptions
from endo_depth_ros.depth.weights_choice import hash_file, weights_file
from endo_depth_ros.evaluation.protocol import Protocol
from endo_depth_ros.json_file import finite
from endo_depth_ros.nodes.depth_settings import DepthNodeSettings
from endo_depth_ros.pose.settings import PoseSettings
from endo_depth_ros.runs.prediction_store import Answer
from endo_depth_ros.runs.recording_run import evaluate_recording
from endo_depth_ros.runs.recordings import BagRecording, Recording, SequenceRecording
from endo_depth_ros.runs.run_folder import RecordingResult, read_facts, write_result
from endo_depth_ros.runs.side_by_side import answer_in_process, load_pipelines
from endo_depth_ros.runs.truth_topics import TruthTopics
from endo_depth_ros.work_ahead import read_ahead


@dataclass(frozen=True)
class InputOptions:
    """How recordings are read; see the command's help."""

    camera: Path | None = None
    hfov_deg: float | None = None
    fps: float | None = None
    image_topic: str = ""
    topics: TruthTopics = field(default_factory=TruthTopics)
    split: Path | None = None
    max_frames: int | None = None


@dataclass(frozen=True)
class Job:
    """One recording. name: in the report, unique. sequence: as the data set or the file is called.

    dataset: '' for a bag, else the data set's layout. folder: where its result goes. pose: None leaves poses out.
    refines: whether depth is what the camera's motion makes of it.
    """

    name: str
    sequence: str
    path: Path
    dataset: str
    protocol: Protocol
    settings: DepthNodeSettings
    options: InputOptions
    graph: bool
    folder: Path
    pose: PoseSettings | None = None
    refines: bool = False

    @property
    def key(self) -> str:
        """A fingerprint of everything that the result depends on."""
        # A path that isn't there fails when its turn comes, as a bag that can't be read does.
        stat = self.path.stat() if self.path.exists() else None
        weights = weights_file(self.settings)
        parts = {
            **{name: repr(getattr(self, name)) for name in ("name", "dataset", "options", "graph", "pose", "refines")},
            "path": str(self.path.resolve()),
            "file": None if stat is None else [stat.st_size, stat.st_mtime_ns],
            "protocol": repr(self.protocol),
            "settings": dataclasses.asdict(self.settings),
            "weights": "" if weights is None else hash_file(weights),
        }
        return hashlib.sha256(json.dumps(finite(parts), sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Outcome:
    """What became of a job. failure: the sentence, or ''."""

    name: str
    path: str
    folder: Path
    failure: str = ""
    resumed: bool = False
    wall_s: float = 0.0


def run_job(job: Job) -> Outcome:
    """Evaluate the recording into its folder; a failure is told, not raised, so that others go on."""
    start_s = time.perf_counter()
    try:
        if read_facts(job.folder, job.key) is not None:
            return Outcome(job.name, str(job.path), job.folder, resumed=True)
        recording = open_recording(job)
        job.folder.mkdir(parents=True, exist_ok=True)
        # Predictions lie on the disk of the results meanwhile, which is asked to be large.
        answers, pose = answers_of(job, recording), tracker_of(job)
        result = evaluate_recording(
            recording, answers, job.protocol, job.options.max_frames, job.folder, pose, job.refines
        )
        facts = {**result.facts, "input": str(job.path)}
        write_result(job.folder, RecordingResult(job.key, facts, result.rows, result.examples))
    except (ValueError, RuntimeError, OSError) as error:
        return Outcome(job.name, str(job.path), job.folder, failure=str(error))
    return Outcome(job.name, str(job.path), job.folder, wall_s=time.perf_counter() - start_s)


def open_recording(job: Job) -> Recording:
    """The recording of a job. Raises SourceError and ProtocolError."""
    options, crop = job.options, job.protocol.crop_of(job.sequence)
    camera = None if options.camera is None else read_camera(options.camera)
    if not job.dataset:
        source = RosbagSource(job.path, camera, options.image_topic)
        if source.image_topic == options.topics.depth == TRUTH_DEPTH:
            raise SourceError(
                f"{job.path}: its only images are the true depth on {source.image_topic}; record the camera's too"
            )
        return BagRecording(job.name, job.path, source, options.topics, crop)
    found = [each for each in find_sequences(job.path, job.dataset) if each.folder == job.path]
    sequence = found[0].open(ReadOptions(camera, options.hfov_deg, options.fps))
    counted = None
    if options.split is not None:
        frames = read_split(options.split)
        if job.sequence not in frames:
            raise SourceError(f"{options.split}: lists no frame of {job.sequence}; leave that sequence out")
        counted = frozenset(frames[job.sequence])
    return SequenceRecording(dataclasses.replace(sequence, name=job.name), crop, counted)


def answers_of(job: Job, recording: Recording) -> Generator[Answer, None, None]:
    """The answer to every frame, in process or by depth_node and pose_node."""
    frames = progress(recording, job.options.max_frames)
    if job.graph:
        # Only this way needs a ROS home.
        from endo_depth_ros.cli.lock_step import answer_by_graph

        return answer_by_graph(read_ahead(frames), job.settings, job.pose)
    return answer_in_process(frames, _kept_pipelines(job.settings), job.settings.hfov_deg)


# Kept for the next recording of this process.
_kept_pipelines = lru_cache(maxsize=1)(load_pipelines)


def tracker_of(job: Job) -> PoseSettings | None:
    """How the camera is followed here; not at all where pose_node does it."""
    if not job.graph:
        return job.pose
    from endo_depth_ros.cli.lock_step import has_gtsam

    return None if has_gtsam() else job.pose


def progress(recording: Recording, max_frames: int | None) -> Iterator[SourceFrame]:
    """The frames behind a progress bar that vanishes when it is done."""
    total = recording.frame_count
    if total is not None and max_frames is not None:
        total = min(total, max_frames)
    frames: Iterator[SourceFrame] = iter(
        tqdm(recording.frames(), desc=recording.name, total=total, unit="frame", disable=None, leave=False)
    )
    return frames


def describe_model(settings: DepthNodeSettings) -> dict[str, Any]:
    """The model and the file of its weights with its SHA-256."""
    weights = weights_file(settings)
    return {
        "name": settings.model,
        "weights": None if weights is None else weights.name,
        "weights_sha256": None if weights is None else hash_file(weights),
    }
