"""A measurement in a fresh process, whose memory, threads and libraries are its own."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from endo_depth_ros.benchmark.workload import BenchmarkError, Workload

R = TypeVar("R")


def run_apart(measure: Callable[[Workload], R], workload: Workload) -> R:
    """What `measure` returns or raises. Raises BenchmarkError when its process dies."""
    with ProcessPoolExecutor(max_workers=1, mp_context=multiprocessing.get_context("spawn")) as pool:
        try:
            return pool.submit(measure, workload).result()
        except BrokenProcessPool as error:
            raise BenchmarkError(
                "the measuring process ended early, for the reason above or, if there is none, for lack of memory; "
                "free some and measure again"
            ) from error
