"""Who works off a list of jobs: this process, several of this machine, or a Ray cluster."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool

from endo_depth_ros.cli.evaluation_job import Job, Outcome, run_job

NO_RAY = "--ray needs Ray, which is not installed: pip install endo_depth_ros[cluster]"


class RunnerError(RuntimeError):
    """The jobs can't be handed out; the text says why and what to do."""


def run_here(jobs: Sequence[Job]) -> Iterator[Outcome]:
    """One after the other in this process."""
    return map(run_job, jobs)


def run_in_processes(jobs: Sequence[Job], workers: int) -> Iterator[Outcome]:
    """In as many processes, each outcome as it comes; where a process dies, all jobs that are not done have failed.

    Spawned, not forked: a fork of a process that has used PyTorch or DDS hangs.
    """
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        waiting: dict[Future[Outcome], Job] = {pool.submit(run_job, job): job for job in jobs}
        for future in as_completed(waiting):
            job = waiting[future]
            try:
                yield future.result()
            except BrokenProcessPool:
                died = "its process died, perhaps for lack of memory; run the same command again with fewer --workers"
                yield Outcome(job.name, str(job.path), job.folder, failure=died)


def run_on_ray(jobs: Sequence[Job], address: str) -> Iterator[Outcome]:
    """On a Ray cluster whose machines share the files' paths. Raises RunnerError without Ray or the cluster."""
    try:
        import ray
    except ImportError as error:
        raise RunnerError(NO_RAY) from error
    try:
        ray.init(address=address, log_to_driver=False)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise RunnerError(f"--ray {address}: no cluster answers ({error}); start one: ray start --head") from error
    try:
        remote = ray.remote(run_job)
        waiting = {remote.remote(job): job for job in jobs}
        while waiting:
            (done, *_), _ = ray.wait(list(waiting), num_returns=1)
            job = waiting.pop(done)
            try:
                yield ray.get(done)
            except ray.exceptions.RayError as error:
                why = str(error).strip().splitlines()[-1]
                failure = f"its worker failed ({why}); every machine of the cluster needs endo_depth_ros and the files"
                yield Outcome(job.name, str(job.path), job.folder, failure)
    finally:
        ray.shutdown()
