"""The Fast DDS profile is offered, never forced."""

from pathlib import Path

import pytest

from endo_depth_ros.nodes.fastdds_profile import (
    PROFILE_VARIABLES,
    environment_with_profile,
    profile_path,
    profile_variables,
)


def test_the_profile_of_this_package_is_found():
    path = profile_path()
    assert path is not None
    assert path.name == "fastdds.xml"


def test_a_user_without_a_choice_gets_the_profile_under_both_names():
    environment = environment_with_profile({"HOME": "/home/me"})
    assert {environment[name] for name in PROFILE_VARIABLES} == {str(profile_path())}
    assert environment["HOME"] == "/home/me"


@pytest.mark.parametrize(
    "choice",
    [
        {"FASTRTPS_DEFAULT_PROFILES_FILE": "/mine.xml"},
        {"FASTDDS_DEFAULT_PROFILES_FILE": "/mine.xml"},
        {"FASTDDS_BUILTIN_TRANSPORTS": "UDPv4"},
        {"RMW_IMPLEMENTATION": "rmw_cyclonedds_cpp"},
    ],
)
def test_what_the_user_chose_stays(choice):
    assert environment_with_profile(choice) == choice
    assert profile_variables(choice) == {}


def test_choosing_fast_dds_by_name_is_no_objection():
    assert PROFILE_VARIABLES[0] in environment_with_profile({"RMW_IMPLEMENTATION": "rmw_fastrtps_cpp"})


def test_without_an_ament_index_the_profile_of_the_source_tree_is_taken(monkeypatch):
    monkeypatch.delenv("AMENT_PREFIX_PATH", raising=False)
    assert profile_path() == Path(__file__).parents[2] / "config" / "fastdds.xml"
