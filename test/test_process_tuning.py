"""Processes keep the memory of images, and the user's own choices."""

from __future__ import annotations

import subprocess
import sys

import pytest

from endo_depth_ros.process_tuning import KEPT_MEMORY, tune_process

# Page faults of taking, filling and freeing image-sized buffers again and again, after the first round.
COUNT_FAULTS = """
import resource, sys
if sys.argv[1] == "tuned":
    from endo_depth_ros.process_tuning import tune_process
    tune_process()
def fill():
    kept = [bytearray(4 << 20) for _ in range(8)]
fill()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    fill()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def test_one_thread_of_linear_algebra_unless_the_user_chose() -> None:
    chosen = dict.fromkeys(KEPT_MEMORY, "1")
    environment = dict(chosen)
    tune_process(environment)
    assert environment == {**chosen, "OPENBLAS_NUM_THREADS": "1"}
    environment["OPENBLAS_NUM_THREADS"] = "4"
    tune_process(environment)
    assert environment["OPENBLAS_NUM_THREADS"] == "4"


def test_images_do_not_cost_fresh_pages_again_and_again() -> None:
    faults = {
        how: int(subprocess.run([sys.executable, "-c", COUNT_FAULTS, how], capture_output=True, check=True).stdout)
        for how in ("plain", "tuned")
    }
    if faults["plain"] < 1000:
        pytest.skip("this C library keeps the memory by itself")
    assert faults["tuned"] < 0.1 * faults["plain"]
