"""endo-depth evaluate: from recordings with truth to figures and a report, by the code that is deployed."""

from __future__ import annotations

import argparse
import csv
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from endo_depth_ros.bags.bag_reader import is_bag
from endo_depth_ros.bags.output import OutputError
from endo_depth_ros.bags.topics import TRUTH_DEPTH
from endo_depth_ros.cli.arguments import count, degrees, frame_rate
from endo_depth_ros.cli.evaluation_job import InputOptions, Job, Outcome, describe_model
from endo_depth_ros.cli.job_runners import run_here, run_in_processes, run_on_ray
from endo_depth_ros.cli.main import installed_version
from endo_depth_ros.cli.pose_parameters import read_pose_settings
from endo_depth_ros.cli.process import read_settings
from endo_depth_ros.datasets.catalog import DATASETS, find_sequences
from endo_depth_ros.evaluation.protocol import BUILT_IN, Protocol, load_protocol
from endo_depth_ros.json_file import write_json
from endo_depth_ros.nodes.depth_settings import DepthNodeSettings
from endo_depth_ros.runs.comparison import compare_runs
from endo_depth_ros.runs.html_report import write_comparison_report, write_report
from endo_depth_ros.runs.plots import require_matplotlib
from endo_depth_ros.runs.pooling import check_known, figures_by_name, pool
from endo_depth_ros.runs.requirements import Requirement, parse_requirements
from endo_depth_ros.runs.run_folder import (
    FRAMES,
    METRICS,
    RECORDINGS,
    REPORT,
    TABLE,
    RecordingResult,
    read_facts,
    read_result,
    write_rows,
)
from endo_depth_ros.runs.truth_topics import TruthTopics
from endo_depth_ros.settings import entries


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("inputs", nargs="*", type=Path, metavar="BAG|DATASET", help="recordings with truth")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder for report and figures")
    parser.add_argument(
        "--protocol", default="default", metavar="NAME|YAML", help=f"{', '.join(BUILT_IN)}, or a file (%(default)s)"
    )
    parser.add_argument("--dataset", default="", metavar="NAME", help="read inputs as: " + ", ".join(DATASETS))
    parser.add_argument(
        "--sequence", action="append", default=[], metavar="NAME", help="only this one; may be repeated"
    )
    parser.add_argument("--split", type=Path, metavar="TXT", help="list of frames that count, as AF-SfMLearner's")
    parser.add_argument("--params", type=Path, metavar="YAML", help="parameter file of depth_node and pose_node")
    parser.add_argument("--model", help="depth estimator, instead of the parameter file's")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), help="where the model runs")
    lens = parser.add_mutually_exclusive_group()
    lens.add_argument("--camera", type=Path, metavar="YAML", help="calibration, instead of the recording's own")
    lens.add_argument("--hfov", type=degrees, metavar="DEG", help="assume this horizontal field of view (uncalibrated)")
    parser.add_argument("--fps", type=frame_rate, help="frame rate of a data set, instead of its own")
    parser.add_argument("--image-topic", default="", metavar="TOPIC", help="which images of a bag")
    parser.add_argument("--truth-depth", default=TRUTH_DEPTH, metavar="TOPIC", help="true depth in a bag (%(default)s)")
    parser.add_argument("--truth-pose", default="", metavar="TOPIC", help="true camera poses in a bag (/tf)")
    parser.add_argument("--no-pose", action="store_true", help="leave camera poses out, also where true ones are known")
    parser.add_argument("--refined", action="store_true", help="depth as the camera's motion has it, pose_node's")
    parser.add_argument("--max-frames", type=count, metavar="N", help="only the first N frames of each recording")
    parser.add_argument("--graph", action="store_true", help="drive the nodes over DDS, frame by frame in lock step")
    runner = parser.add_mutually_exclusive_group()
    runner.add_argument("--workers", type=count, default=1, metavar="N", help="processes (%(default)s)")
    runner.add_argument("--ray", metavar="ADDRESS", help="Ray cluster that shares these paths")
    parser.add_argument("--require", metavar="LIST", help='fail unless this holds, such as "absrel<0.1,coverage>0.8"')
    parser.add_argument("--compare", nargs=2, type=Path, metavar=("A", "B"), help="two finished runs, side by side")
    parser.add_argument("--force", action="store_true", help="replace a run with other settings")


def run(args: argparse.Namespace) -> int:
    """Evaluate, or compare two runs; returns the exit code, 2 where a requirement is not met."""
    require_matplotlib()
    if args.compare:
        return compare(args)
    protocol = load_protocol(args.protocol)
    requirements = () if args.require is None else parse_requirements(args.require)
    check_known(requirements, protocol)
    settings = read_settings(args)
    jobs = plan_jobs(args, protocol, settings)
    start_s = time.perf_counter()
    make_folder(args.output)
    outcomes = work_off(args, jobs)
    wall_s = time.perf_counter() - start_s
    results = [result for job in jobs if (result := read_result(job.folder, job.key)) is not None]
    # In the order of the inputs, whoever was first.
    place = {job.name: index for index, job in enumerate(jobs)}
    failed = sorted((each for each in outcomes if each.failure), key=lambda each: place[each.name])
    failures = [{"input": each.path, "name": each.name, "reason": each.failure} for each in failed]
    for failure in failures:
        print(f"failed: {failure['name']}: {failure['reason']}", file=sys.stderr)
    if not results:
        raise OutputError("no recording could be evaluated")
    metrics = pool(results, protocol, facts_of_run(args, settings, failures, wall_s))
    write_run(args.output, metrics, protocol, results)
    print(summarise(metrics, results, args.output))
    return max(check(requirements, metrics), 1 if failures else 0)


def plan_jobs(args: argparse.Namespace, protocol: Protocol, settings: DepthNodeSettings) -> list[Job]:
    """A job for each recording. Raises ValueError where there is none, or a finished run is in the way."""
    if not args.inputs:
        raise ValueError("give a bag or a data set to evaluate, or --compare A B")
    options = InputOptions(
        args.camera, args.hfov, args.fps, args.image_topic, TruthTopics(args.truth_depth, args.truth_pose),
        args.split, args.max_frames,
    )  # fmt: skip
    settings = share_cores(settings, args.workers)
    check_refined(args)
    pose = None if args.no_pose else read_pose_settings(args.params)
    found = [each for path in args.inputs for each in find_recordings(path, args, protocol)]
    check_options(args, [dataset for _, _, dataset in found])
    names = unique_names([name for name, _, _ in found])
    plan = partial(
        Job, protocol=protocol, settings=settings, options=options, graph=args.graph, pose=pose, refines=args.refined
    )
    jobs = [
        plan(name=name, sequence=own, path=path.absolute(), dataset=dataset, folder=folder_of(args.output, name))
        for name, (own, path, dataset) in zip(names, found, strict=True)
    ]
    outdated = [job.name for job in jobs if job.folder.exists() and is_outdated(job)]
    if outdated and not args.force:
        raise OutputError(
            f"{args.output} holds {outdated[0]} with other settings or of another input; choose another folder or "
            "give --force"
        )
    return jobs


def check_options(args: argparse.Namespace, datasets: Sequence[str]) -> None:
    """Raise ValueError for an option that none of the inputs has a use for. datasets: of each, '' for a bag."""
    of_bags = {
        "--image-topic": args.image_topic,
        "--truth-pose": args.truth_pose,
        "--truth-depth": args.truth_depth != TRUTH_DEPTH,
    }
    of_datasets = {"--split": args.split, "--fps": args.fps, "--sequence": args.sequence}
    for options, kind, is_there in ((of_bags, "bags", "" in datasets), (of_datasets, "data sets", any(datasets))):
        unused = [name for name, value in options.items() if value and not is_there]
        if unused:
            raise ValueError(f"{unused[0]} is for {kind}, of which there is none among the inputs; leave it out")


def check_refined(args: argparse.Namespace) -> None:
    """Raise ValueError where --refined can't be done."""
    if args.refined and (args.no_pose or args.graph):
        other = "--no-pose" if args.no_pose else "--graph"
        why = "it needs the camera's poses" if args.no_pose else "depth is refined in process only"
        raise ValueError(f"--refined and {other} exclude one another: {why}; leave one of them out")


def make_folder(path: Path) -> None:
    """Make a folder where there is none. Raises OutputError."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path}: can't be made a folder ({error.strerror}); choose another --output") from error


def find_recordings(path: Path, args: argparse.Namespace, protocol: Protocol) -> Iterator[tuple[str, Path, str]]:
    """Name, path and data set ('' for a bag) of the recordings of one input. What is neither fails as a bag."""
    try:
        as_bag = not args.dataset and is_bag(path)
    except ValueError:
        as_bag = True
    if as_bag:
        yield path.stem, path, ""
        return
    sequences = find_sequences(path, args.dataset)
    chosen = [s for s in sequences if (s.name in args.sequence if args.sequence else protocol.tests(s.name))]
    if not chosen:
        names = ", ".join(sequence.name for sequence in sequences)
        wanted = f"called {', '.join(args.sequence)}" if args.sequence else f"that protocol {protocol.name} tests on"
        raise ValueError(f"{path}: there is no sequence {wanted}; give --sequence as one of: {names}")
    for sequence in chosen:
        yield sequence.name, sequence.folder, sequence.layout.name


def share_cores(settings: DepthNodeSettings, workers: int) -> DepthNodeSettings:
    """Threads that leave room for the other workers."""
    if workers == 1 or settings.cpu_threads:
        return settings
    return replace(settings, cpu_threads=max(1, (os.cpu_count() or 1) // workers))


def unique_names(names: Sequence[str]) -> list[str]:
    """The names, numbered where one comes twice."""
    return [f"{name}-{names[:i].count(name) + 1}" if names[:i].count(name) else name for i, name in enumerate(names)]


def folder_of(output: Path, name: str) -> Path:
    """Where a recording's result lies."""
    return output / RECORDINGS / name.replace("/", "_")


def is_outdated(job: Job) -> bool:
    """Whether the folder holds a finished result of something else."""
    return read_facts(job.folder) is not None and read_facts(job.folder, job.key) is None


def work_off(args: argparse.Namespace, jobs: Sequence[Job]) -> list[Outcome]:
    """All outcomes; a row of recordings.csv for each as it comes."""
    if args.ray:
        running = run_on_ray(jobs, args.ray)
    elif args.workers > 1:
        running = run_in_processes(jobs, args.workers)
    else:
        running = run_here(jobs)
    outcomes = []
    with (args.output / TABLE).open("w", newline="", buffering=1) as file:
        table = csv.writer(file)
        table.writerow(["recording", "state", "frames", "abs_rel", "coverage", "seconds", "reason"])
        for outcome in tqdm(running, total=len(jobs), unit="recording", disable=None if len(jobs) > 1 else True):
            outcomes.append(outcome)
            table.writerow(row_of(outcome))
    return outcomes


def row_of(outcome: Outcome) -> list[Any]:
    """The row of recordings.csv."""
    if outcome.failure:
        return [outcome.name, "failed", "", "", "", "", outcome.failure]
    facts = read_facts(outcome.folder)
    assert facts is not None
    errors = facts["depth"][facts["headline"]]
    state = "done before" if outcome.resumed else "done"
    figures = [facts["frames"], errors["abs_rel"], errors["coverage"]]
    return [outcome.name, state, *figures, f"{outcome.wall_s:.1f}", ""]


def facts_of_run(
    args: argparse.Namespace, settings: DepthNodeSettings, failures: list[dict[str, str]], wall_s: float
) -> dict[str, Any]:
    """What metrics.json says about the run as a whole."""
    return {
        "endo_depth_ros": installed_version(),
        "path": "nodes over DDS, in lock step" if args.graph else "in process",
        "refined": args.refined,
        "model": describe_model(settings),
        "settings": {entry.name: getattr(settings, entry.name) for entry in entries(DepthNodeSettings)},
        "failures": failures,
        "times": {"wall_s": wall_s},
    }


def write_run(output: Path, metrics: dict[str, Any], protocol: Protocol, results: Sequence[RecordingResult]) -> None:
    """metrics.json, frames.csv, report.html and its pictures."""
    write_json(output / METRICS, metrics)
    write_rows(output / FRAMES, [row for result in results for row in result.rows])
    write_report(output, metrics, protocol, results)


def summarise(metrics: dict[str, Any], results: Sequence[RecordingResult], output: Path) -> str:
    """The run's last words."""
    errors = metrics["depth"][metrics["headline"]]
    if metrics["images"] and metrics["unanswered"] == metrics["images"]:
        reasons = Counter(row["reason"] for result in results for row in result.rows if row["reason"])
        why = f", most often because: {reasons.most_common(1)[0][0]}" if reasons else ""
        return f"None of {metrics['images']} images got an answer{why}. Read {output / REPORT}"
    return (
        f"AbsRel {errors['abs_rel']:.4f} ({metrics['headline']}), coverage {errors['coverage']:.3f}, on "
        f"{metrics['images']} images by protocol {metrics['protocol']['name']}. Read {output / REPORT}"
    )


def check(requirements: Sequence[Requirement], metrics: dict[str, Any]) -> int:
    """2 with the reasons on stderr where a requirement is not met, else 0."""
    figures = figures_by_name(metrics)
    reasons = [reason for each in requirements if (reason := each.unmet(figures))]
    for reason in reasons:
        print(f"endo-depth evaluate: {reason}", file=sys.stderr)
    return 2 if reasons else 0


def compare(args: argparse.Namespace) -> int:
    """Two finished runs side by side."""
    if args.inputs or args.require:
        raise ValueError("--compare takes two finished runs and nothing else; leave the inputs out")
    comparison = compare_runs(*args.compare)
    if args.output.resolve() in [run.resolve() for run in args.compare]:
        raise OutputError(f"{args.output} is one of the two runs; choose another --output")
    make_folder(args.output)
    write_comparison_report(args.output, comparison)
    print(f"{comparison.summary} Read {args.output / REPORT}")
    return 0
