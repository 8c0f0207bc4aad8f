"""Settings that can't be meant are refused."""

import pytest

from endo_depth_ros.pose.settings import PoseSettings
from endo_depth_ros.settings import SettingsError, entries, make


@pytest.mark.parametrize("name", ["flow_window_px", "wide_window_px"])
def test_an_even_window_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} is 16 but must be odd"):
        make(PoseSettings, {name: 16})


def test_every_setting_is_described() -> None:
    assert all(entry.rule.description for entry in entries(PoseSettings))
