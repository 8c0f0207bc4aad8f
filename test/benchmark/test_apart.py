"""Measurements in processes of their own."""

import os

import pytest
from workloads import wall_workload

from endo_depth_ros.benchmark.apart import run_apart
from endo_depth_ros.benchmark.workload import BenchmarkError


def tell_process(workload):
    """Where it runs, and what it was given."""
    return os.getpid(), len(workload.images), workload.settings.model


def refuse(workload):
    """Fails as a measurement may."""
    raise BenchmarkError("there is nothing to measure")


def die(workload):
    """Ends as when the system has no memory left."""
    os._exit(9)


def test_a_measurement_has_a_process_of_its_own():
    pid, images, model = run_apart(tell_process, wall_workload())
    assert pid != os.getpid()
    assert (images, model) == (3, "shading")


@pytest.mark.parametrize(("measure", "sentence"), [(refuse, "nothing to measure"), (die, "ended early")])
def test_what_goes_wrong_there_is_told_here(measure, sentence):
    with pytest.raises(BenchmarkError, match=sentence):
        run_apart(measure, wall_workload())
