"""What processes start with: nothing that the user has set otherwise."""

from __future__ import annotations

import pytest

from endo_depth_ros.nodes.process_environment import additional_environment


def test_profile_is_set_where_the_user_has_none() -> None:
    additions = additional_environment({})
    assert additions["FASTRTPS_DEFAULT_PROFILES_FILE"].endswith("config/fastdds.xml")
    assert additions["FASTDDS_DEFAULT_PROFILES_FILE"].endswith("config/fastdds.xml")


@pytest.mark.parametrize(
    "choice",
    [
        {"FASTRTPS_DEFAULT_PROFILES_FILE": "/mine.xml"},
        {"FASTDDS_DEFAULT_PROFILES_FILE": "/mine.xml"},
        {"FASTDDS_BUILTIN_TRANSPORTS": "LARGE_DATA"},
        {"RMW_IMPLEMENTATION": "rmw_cyclonedds_cpp"},
    ],
    ids=lambda choice: next(iter(choice)),
)
def test_what_the_user_chose_for_dds_stays(choice: dict[str, str]) -> None:
    additions = additional_environment(choice)
    assert not [name for name in additions if "PROFILES" in name]


def test_memory_settings_of_the_user_stay() -> None:
    assert "MALLOC_TRIM_THRESHOLD_" not in additional_environment({"MALLOC_TRIM_THRESHOLD_": "1"})
