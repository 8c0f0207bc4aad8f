"""What figures depend on."""

import pytest

from endo_depth_ros.benchmark.machine_facts import MachineFacts, find_versions, look_at_machine


def test_the_machine_has_a_name_cores_and_memory():
    machine = look_at_machine()
    assert machine.cpu
    assert machine.cores >= 1
    assert 100 < machine.memory_mb < 100_000_000


@pytest.mark.parametrize(("load", "busy"), [(0.0, False), (0.4, False), (0.6, True), (7.0, True)])
def test_a_machine_is_busy_when_others_take_much_of_its_cores(load, busy):
    assert MachineFacts("", "", 2, 1, "", load).busy is busy


def test_versions_name_what_takes_the_time():
    versions = find_versions()
    assert versions["torch"]
    assert set(versions) >= {"python", "numpy", "openvino", "cuda", "ros_distro", "rmw"}
